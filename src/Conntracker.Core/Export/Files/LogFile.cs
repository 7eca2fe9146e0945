using System.Runtime.InteropServices;
using Conntracker.Core.Export.Files;
using Conntracker.Core.Native;
using Microsoft.Win32.SafeHandles;
using Tmds.Linux;
using static Tmds.Linux.LibC;

namespace Conntracker;

/// <summary>
/// A log file that exists whole or not at all. It is written to a file without a name (O_TMPFILE), or, where the file system has no such files,
/// beside its path under a new name. It takes the path when it is committed; until then, and after any failure, an existing file at the path stays.
/// Only its owner can read it. A finished file that cannot take its path is kept under another name.
/// </summary>
public sealed class LogFile : IDisposable
{
    private const int NameAttempts = 16;
    private static readonly mode_t s_ownerOnly = S_IRUSR | S_IWUSR;

    // The directory is opened once: a user who renames it while the file is written does not change where the file goes.
    private readonly SafeFileHandle _directory;
    private readonly SafeFileHandle _file;
    private readonly string _name;
    private readonly bool _noClobber;

    // The temporary name of the file; null while it has none.
    private string? _temporary;
    private bool _isCommitted;

    private LogFile(string path, bool noClobber, bool startNameless)
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
            if (Refusal() is LogFileException refusal)
            {
                throw refusal;
            }

            _file = (startNameless ? CreateNameless() : null) ?? CreateTemporary(directory);
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

    /// <summary>The stream to write to. It throws <see cref="LogFileException"/> when a write fails.</summary>
    public Stream Stream { get; }

    /// <summary>Creates a file.</summary>
    /// <param name="path">Its path; a relative one starts at the process's current directory.</param>
    /// <param name="noClobber">Whether to refuse a path where a file exists.</param>
    /// <exception cref="LogFileException">
    /// The path is a link, another user's file or no file at all; it exists and must not be replaced; or nothing can be created there.
    /// </exception>
    public static LogFile Create(string path, bool noClobber = false) => Create(path, noClobber, startNameless: true);

    /// <summary>Creates a file in the directory for temporary files, under a name that cannot be guessed.</summary>
    /// <exception cref="LogFileException">Nothing can be created there.</exception>
    public static LogFile CreateTemporary() =>
        Create(System.IO.Path.Combine(System.IO.Path.GetTempPath(), $"conntracker-{UniqueName.Next()}.log"), noClobber: true);

    /// <summary>Creates a file, without O_TMPFILE when <paramref name="startNameless"/> is false, as on file systems that lack it.</summary>
    internal static LogFile Create(string path, bool noClobber, bool startNameless)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        return new LogFile(System.IO.Path.GetFullPath(path), noClobber, startNameless);
    }

    /// <summary>Flushes the file to disk, and gives it its path.</summary>
    /// <exception cref="LogFileException"> It failed: an existing file at the path is unchanged. Where only the name could not be taken, the file is kept under
    /// another one (<see cref="LogFileException.KeptPath"/>).
    /// </exception>
    public void Commit()
    {
        ObjectDisposedException.ThrowIf(_file.IsClosed, this);
        if (_isCommitted)
        {
            return;
        }

        try
        {
            RandomAccess.FlushToDisk(_file);
        }
        catch (IOException error)
        {
            // Its HResult is the error number.
            throw LogFileErrors.FromErrno(Path, "flushing the file to disk", error.HResult);
        }

        LogFileException? refusal = Refusal() ?? (TryTakeName() ? null : Failure("renaming the complete file"));
        string? kept = refusal is null ? null : TryKeep();
        _isCommitted = refusal is null || kept is not null;

        // The new name must survive a power failure. The file is at its path already, so an old file system's refusal is not a failure.
        _ = SafeLibC.fsync(_directory);
        if (refusal is not null)
        {
            throw kept is null ? refusal : refusal.KeptAt(kept);
        }
    }

    /// <summary>Closes the file, and deletes it unless it was committed.</summary>
    public void Dispose()
    {
        if (_file.IsClosed)
        {
            return;
        }

        _file.Dispose();
        if (!_isCommitted && _temporary is not null)
        {
            _ = SafeLibC.unlinkat(_directory, _temporary, 0);
        }

        _directory.Dispose();
    }

    /// <summary>Opens the directory of a log.</summary>
    /// <param name="path">The log.</param>
    /// <param name="directory">The directory.</param>
    /// <exception cref="LogFileException">It cannot be opened.</exception>
    internal static SafeFileHandle OpenDirectory(string path, string directory)
    {
        int fd = SafeLibC.open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0 && Marshal.GetLastPInvokeError() == EACCES)
        {
            // A directory with write but not read permission.
            fd = SafeLibC.open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
        }

        return fd >= 0
            ? new SafeFileHandle(fd, ownsHandle: true)
            : throw LogFileErrors.FromErrno(path, $"opening the directory '{directory}'", Marshal.GetLastPInvokeError());
    }

    // Why the path cannot be used in its current state; null when it can.
    private unsafe LogFileException? Refusal()
    {
        statx target;
        if (SafeLibC.statx(_directory, _name, AT_SYMLINK_NOFOLLOW, STATX_TYPE | STATX_UID, &target) < 0)
        {
            return Marshal.GetLastPInvokeError() == ENOENT ? null : Failure("reading the attributes of the existing file");
        }

        mode_t type = target.stx_mode & S_IFMT;
        return type == S_IFLNK ? LogFileErrors.Link(Path)
            : type != S_IFREG ? LogFileErrors.NotRegular(Path)
            : target.stx_uid != LibC.geteuid() ? LogFileErrors.Foreign(Path, target.stx_uid, LibC.geteuid())
            : _noClobber ? LogFileErrors.Exists(Path)
            : null;
    }

    // A file without a name leaves nothing behind when the process is killed. Null where the file system has no such files, or where /proc, through
    // which such a file gets its name, is missing.
    private unsafe SafeFileHandle? CreateNameless()
    {
        int fd = SafeLibC.openat(_directory, ".", O_WRONLY | O_TMPFILE | O_CLOEXEC, s_ownerOnly);
        if (fd < 0)
        {
            return null;
        }

        SafeFileHandle file = new(fd, ownsHandle: true);
        statx found;
        if (SafeLibC.statx(_directory, Descriptor(file), 0, STATX_TYPE, &found) == 0)
        {
            return file;
        }

        file.Dispose();
        return null;
    }

    private SafeFileHandle CreateTemporary(string directory)
    {
        int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
        for (int attempt = 1; ; attempt++)
        {
            string name = TemporaryName();
            int fd = SafeLibC.openat(_directory, name, flags, s_ownerOnly);
            if (fd >= 0)
            {
                _temporary = name;
                return new SafeFileHandle(fd, ownsHandle: true);
            }

            if (Marshal.GetLastPInvokeError() != EEXIST || attempt == NameAttempts)
            {
                throw Failure($"creating a temporary file in '{directory}'");
            }
        }
    }

    private bool TryTakeName()
    {
        if (_temporary is null)
        {
            if (TryLink(_name))
            {
                return true;
            }

            // link(2) never replaces: to do so, the file needs a name of its own first.
            string temporary = TemporaryName();
            if (_noClobber || Marshal.GetLastPInvokeError() != EEXIST || !TryLink(temporary))
            {
                return false;
            }

            _temporary = temporary;
        }

        return TryRename(_name, _noClobber);
    }

    // Gives the finished file another name beside the path that it could not take. Returns its path; null when that failed too.
    private string? TryKeep()
    {
        for (int attempt = 1; attempt <= NameAttempts; attempt++)
        {
            string name = $"conntracker-{UniqueName.Next()}.log";
            if (_temporary is null ? TryLink(name) : TryRename(name, noReplace: true))
            {
                return System.IO.Path.Combine(System.IO.Path.GetDirectoryName(Path) ?? "/", name);
            }
        }

        return null;
    }

    private bool TryLink(string name) => SafeLibC.linkat(_directory, Descriptor(_file), _directory, name, AT_SYMLINK_FOLLOW) == 0;

    private bool TryRename(string name, bool noReplace)
    {
        if (SafeLibC.renameat2(_directory, _temporary!, _directory, name, noReplace ? FileConstants.RENAME_NOREPLACE : 0) == 0)
        {
            return true;
        }

        // Some file systems cannot rename without replacing. A second name is as safe: link(2) never replaces.
        if (!noReplace || Marshal.GetLastPInvokeError() != EINVAL || SafeLibC.linkat(_directory, _temporary!, _directory, name, 0) < 0)
        {
            return false;
        }

        _ = SafeLibC.unlinkat(_directory, _temporary!, 0);
        return true;
    }

    private static string Descriptor(SafeFileHandle file) => $"/proc/self/fd/{file.DangerousGetHandle()}";

    private static string TemporaryName() => $".conntracker-{UniqueName.Next()}.tmp";

    private LogFileException Failure(string doing) => LogFileErrors.FromErrno(Path, doing, Marshal.GetLastPInvokeError());
}
