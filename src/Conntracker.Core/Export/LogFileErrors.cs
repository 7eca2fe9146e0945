using System.Runtime.InteropServices;
using Conntracker.Core.Native;

namespace Conntracker.Core.Export;

/// <summary>The words for what can go wrong with a log file.</summary>
internal static class LogFileErrors
{
    /// <summary>An error of a system call.</summary>
    /// <param name="path">The log file.</param>
    /// <param name="doing">What was tried, as in "create a temporary file in /var/log".</param>
    /// <param name="errno">The call's error number.</param>
    public static LogFileException FromErrno(string path, string doing, int errno)
    {
        (LogFileReason reason, string remedy) = errno switch
        {
            ErrnoConstants.ENOSPC or ErrnoConstants.EDQUOT or ErrnoConstants.EFBIG =>
                (LogFileReason.NoSpace, "Free space or raise the quota, or choose another place."),
            ErrnoConstants.EACCES or ErrnoConstants.EPERM or ErrnoConstants.EROFS =>
                (LogFileReason.Denied, "Choose a directory that you may write to."),
            ErrnoConstants.ENOENT or ErrnoConstants.ENOTDIR => (LogFileReason.MissingDirectory, "Create the directory, or choose another place."),
            ErrnoConstants.EEXIST => (LogFileReason.Exists, "Choose another name, or allow it to be replaced."),
            _ => (LogFileReason.Other, "Choose another place."),
        };
        return new LogFileException(path, reason,
            $"Cannot write '{path}': {doing} failed: {Marshal.GetPInvokeErrorMessage(errno)} (errno {errno}). {remedy}");
    }

    /// <summary>The path is a symbolic link.</summary>
    public static LogFileException Link(string path) => new(path, LogFileReason.TargetIsLink,
        $"Cannot write '{path}': it is a symbolic link, and links are not followed. Name the file that it points to, or remove the link.");

    /// <summary>The file is another user's.</summary>
    public static LogFileException Foreign(string path, uint owner, uint self) => new(path, LogFileReason.ForeignOwner,
        $"Cannot write '{path}': the file there belongs to the user with the id {owner}, and this process runs as {self}. Remove it, or choose another name.");

    /// <summary>What stands there is no file.</summary>
    public static LogFileException NotRegular(string path) => new(path, LogFileReason.NotRegular,
        $"Cannot write '{path}': what is there is not a regular file (a directory, pipe, socket or device). Choose another name.");

    /// <summary>A file stands there.</summary>
    public static LogFileException Exists(string path) => new(path, LogFileReason.Exists,
        $"Cannot write '{path}': a file is there already, and it was not to be replaced. Choose another name, or allow it to be replaced.");
}
