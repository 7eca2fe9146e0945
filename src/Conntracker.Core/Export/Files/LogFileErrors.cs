using System.Runtime.InteropServices;
using Conntracker.Core.Native;
using static Tmds.Linux.LibC;

namespace Conntracker.Core.Export.Files;

/// <summary>The messages of what can go wrong with a log file.</summary>
internal static class LogFileErrors
{
    /// <summary>An error of a system call.</summary>
    /// <param name="path">The log file.</param>
    /// <param name="doing">The failed operation, as in "create a temporary file in /var/log".</param>
    /// <param name="errno">The call's error number.</param>
    public static LogFileException FromErrno(string path, string doing, int errno)
    {
        (LogFileReason reason, string remedy) = errno switch
        {
            _ when errno == ENOSPC || errno == EDQUOT || errno == EFBIG =>
                (LogFileReason.NoSpace, "Free some space, increase the quota, or choose another path."),
            _ when errno == EACCES || errno == EPERM || errno == EROFS =>
                (LogFileReason.Denied, "Choose a writable directory."),
            _ when errno == ENOENT || errno == ENOTDIR => (LogFileReason.MissingDirectory, "Create the directory, or choose another path."),
            _ when errno == EEXIST => (LogFileReason.Exists, "Choose another name, or allow it to be replaced."),
            _ => (LogFileReason.Other, "Choose another path."),
        };
        return new LogFileException(path, reason,
            $"Cannot write '{path}': {doing} failed: {Marshal.GetPInvokeErrorMessage(errno)} (errno {errno}). {remedy}");
    }

    /// <summary>The path is a symbolic link.</summary>
    public static LogFileException Link(string path) => new(path, LogFileReason.TargetIsLink,
        $"Cannot write '{path}': it is a symbolic link, and links are not followed. Specify the target of the link, or remove the link.");

    /// <summary>The file is another user's.</summary>
    public static LogFileException Foreign(string path, uint owner, uint self) => new(path, LogFileReason.ForeignOwner,
        $"Cannot write '{path}': the file belongs to the user with the id {owner}, and this process runs as {self}. Remove the file, or choose another name.");

    /// <summary>The path is not a regular file.</summary>
    public static LogFileException NotRegular(string path) => new(path, LogFileReason.NotRegular,
        $"Cannot write '{path}': it exists and is not a regular file (but a directory, pipe, socket or device). Choose another name.");

    /// <summary>A file exists there.</summary>
    public static LogFileException Exists(string path) => new(path, LogFileReason.Exists,
        $"Cannot write '{path}': the file already exists. Choose another name, or allow it to be replaced.");

    /// <summary>A tree's file system has hardly any free inodes.</summary>
    public static LogFileException FewInodes(string path) => new(path, LogFileReason.NoSpace,
        $"Cannot write '{path}': the file system has too few free inodes, and each entry of a tree uses one. " +
            "Free some (see 'df -i'), or choose another file system.");

    /// <summary>An error of a system call on a tree's directory or entry.</summary>
    /// <param name="path">The directory or entry.</param>
    /// <param name="doing">The failed operation, as in "creating the directory".</param>
    /// <param name="errno">The call's error number.</param>
    public static LogFileException FromTree(string path, string doing, int errno) => errno == ENOSPC || errno == EDQUOT
        ? new LogFileException(path, LogFileReason.NoSpace,
            $"Cannot write '{path}': {doing} failed: {Errno.Describe(errno)}. The file system has no free inodes or no free space, and each entry uses an " +
                "inode. Free some (see 'df -i'), lower the limit of the tree, or choose another path.")
        : FromErrno(path, doing, errno);

    /// <summary>A directory of a tree is a symbolic link.</summary>
    public static LogFileException DirectoryLink(string path) => new(path, LogFileReason.TargetIsLink,
        $"Cannot write below '{path}': it is a symbolic link, and links are not followed. Specify the target of the link, or remove the link.");

    /// <summary>A directory of a tree belongs to another user.</summary>
    public static LogFileException ForeignDirectory(string path, uint owner, uint self) => new(path, LogFileReason.ForeignOwner,
        $"Cannot write below '{path}': the directory belongs to the user with the id {owner}, and this process runs as {self}. Choose another directory.");

    /// <summary>The path of a tree's directory is not a directory.</summary>
    public static LogFileException NotFolder(string path) => new(path, LogFileReason.NotFolder,
        $"Cannot write below '{path}': it exists and is not a directory, and a tree is a directory. Choose another name.");

    /// <summary>The directory of a tree is not empty.</summary>
    public static LogFileException DirectoryInUse(string path) => new(path, LogFileReason.Exists,
        $"Cannot write below '{path}': the directory is not empty. Choose another name, or allow entries to be added.");
}
