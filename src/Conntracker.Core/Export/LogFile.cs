using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Conntracker.Core.Native;
using Microsoft.Win32.SafeHandles;

namespace Conntracker.Core.Export;

/// <summary>
/// A log file that is there whole or not at all. It is written beside its path under a fresh name that only its owner can read, and
/// takes the path when it is committed; until then, and if anything fails, what stood at the path stays.
/// </summary>
public sealed class LogFile : IDisposable
{
    private const int NameAttempts = 16;

    // The directory is opened once: whoever moves it meanwhile does not move where the file goes.
    private readonly SafeFileHandle _directory;
    private readonly SafeFileHandle _file;
    private readonly string _name;
    private readonly string _temporary;
    private readonly bool _noClobber;
    private bool _isCommitted;

    private LogFile(string path, bool noClobber)
    {
        Path = path;
        _noClobber = noClobber;
        _name = System.IO.Path.GetFileName(path);
        string directory = System.IO.Path.GetDirectoryName(path) ?? "/";
        if (_name.Length == 0)
        {
            throw LogFileErrors.NotRegular(path);
        }

        _directory = OpenDirectory(path, directory);
        try
        {
            CheckTarget();
            (_file, _temporary) = CreateTemporary(directory);
        }
        catch
        {
            _directory.Dispose();
            throw;
        }

        Stream = new LogFileStream(_file, path);
    }

    /// <summary>The file's full path.</summary>
    public string Path { get; }

    /// <summary>Where to write. It throws <see cref="LogFileException"/> when a write fails.</summary>
    public Stream Stream { get; }

    /// <summary>Begins a file.</summary>
    /// <param name="path">Its path; a relative one starts at the process's current directory.</param>
    /// <param name="noClobber">Whether to refuse a path where a file stands already.</param>
    /// <exception cref="LogFileException">
    /// The path is a link, another user's file or no file at all; it exists and must not be replaced; or nothing can be created there.
    /// </exception>
    public static LogFile Create(string path, bool noClobber = false)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        return new LogFile(System.IO.Path.GetFullPath(path), noClobber);
    }

    /// <summary>Brings what was written to the disk, and puts the file in its place.</summary>
    /// <exception cref="LogFileException">It could not be: the path's old content, if any, is untouched.</exception>
    public unsafe void Commit()
    {
        ObjectDisposedException.ThrowIf(_file.IsClosed, this);
        if (_isCommitted)
        {
            return;
        }

        if (Libc.fsync(_file) < 0)
        {
            throw Failure("bringing the file to the disk");
        }

        CheckTarget();
        uint flags = _noClobber ? FileConstants.RENAME_NOREPLACE : 0;
        if (Libc.renameat2(_directory, _temporary, _directory, _name, flags) < 0 && !RenamedByLink())
        {
            throw Failure("giving the finished file its name");
        }

        _isCommitted = true;

        // Makes the new name outlast a power failure. The file is in its place already, so an old file system's refusal is no failure.
        _ = Libc.fsync(_directory);
    }

    /// <summary>Closes the file, and removes it unless it was committed.</summary>
    public void Dispose()
    {
        if (_file.IsClosed)
        {
            return;
        }

        _file.Dispose();
        if (!_isCommitted)
        {
            _ = Libc.unlinkat(_directory, _temporary, 0);
        }

        _directory.Dispose();
    }

    /// <summary>Opens the directory that a log is to stand in.</summary>
    /// <param name="path">The log.</param>
    /// <param name="directory">The directory.</param>
    /// <exception cref="LogFileException">It cannot be opened.</exception>
    internal static SafeFileHandle OpenDirectory(string path, string directory)
    {
        int fd = Libc.open(directory, FileConstants.O_RDONLY | FileConstants.O_DIRECTORY | FileConstants.O_CLOEXEC);
        if (fd < 0 && Marshal.GetLastPInvokeError() == ErrnoConstants.EACCES)
        {
            // A directory that one may write to but not list.
            fd = Libc.open(directory, FileConstants.O_PATH | FileConstants.O_DIRECTORY | FileConstants.O_CLOEXEC);
        }

        return fd >= 0
            ? new SafeFileHandle(fd, ownsHandle: true)
            : throw LogFileErrors.FromErrno(path, $"opening the directory '{directory}'", Marshal.GetLastPInvokeError());
    }

    private unsafe void CheckTarget()
    {
        statx target;
        if (Libc.statx(_directory, _name, FileConstants.AT_SYMLINK_NOFOLLOW, FileConstants.STATX_TYPE | FileConstants.STATX_UID, &target) < 0)
        {
            if (Marshal.GetLastPInvokeError() == ErrnoConstants.ENOENT)
            {
                return;
            }

            throw Failure("looking at what is there");
        }

        int type = target.stx_mode & FileConstants.S_IFMT;
        if (type == FileConstants.S_IFLNK)
        {
            throw LogFileErrors.Link(Path);
        }

        if (type != FileConstants.S_IFREG)
        {
            throw LogFileErrors.NotRegular(Path);
        }

        if (target.stx_uid != Libc.geteuid())
        {
            throw LogFileErrors.Foreign(Path, target.stx_uid, Libc.geteuid());
        }

        if (_noClobber)
        {
            throw LogFileErrors.Exists(Path);
        }
    }

    private (SafeFileHandle File, string Name) CreateTemporary(string directory)
    {
        int flags = FileConstants.O_WRONLY | FileConstants.O_CREAT | FileConstants.O_EXCL | FileConstants.O_NOFOLLOW | FileConstants.O_CLOEXEC;
        for (int attempt = 1; ; attempt++)
        {
            string name = $".conntracker-{RandomNumberGenerator.GetHexString(16, lowercase: true)}.tmp";
            int fd = Libc.openat(_directory, name, flags, FileConstants.S_IRUSR | FileConstants.S_IWUSR);
            if (fd >= 0)
            {
                return (new SafeFileHandle(fd, ownsHandle: true), name);
            }

            if (Marshal.GetLastPInvokeError() != ErrnoConstants.EEXIST || attempt == NameAttempts)
            {
                throw Failure($"creating a temporary file in '{directory}'");
            }
        }
    }

    // Some file systems cannot rename without replacing. A second name is as safe: link(2) never replaces.
    private bool RenamedByLink()
    {
        if (!_noClobber || Marshal.GetLastPInvokeError() != ErrnoConstants.EINVAL
            || Libc.linkat(_directory, _temporary, _directory, _name, 0) < 0)
        {
            return false;
        }

        _ = Libc.unlinkat(_directory, _temporary, 0);
        return true;
    }

    private LogFileException Failure(string doing) => LogFileErrors.FromErrno(Path, doing, Marshal.GetLastPInvokeError());
}
