using Conntracker.Core.Native;
using Microsoft.Win32.SafeHandles;
using Tmds.Linux;
using static Tmds.Linux.LibC;

namespace Conntracker.Core.Recording;

/// <summary>The new file of a recording. Its directory is opened once: renaming the directory does not change which file is meant.</summary>
internal sealed class RecordingFile : IDisposable
{
    private static readonly mode_t s_ownerOnly = S_IRUSR | S_IWUSR;

    private readonly SafeFileHandle _directory;
    private readonly string _name;

    private RecordingFile(SafeFileHandle directory, string name, SafeFileHandle file)
    {
        _directory = directory;
        _name = name;
        Stream = new FileStream(file, FileAccess.Write, bufferSize: 0);
    }

    /// <summary>The stream to write to.</summary>
    public FileStream Stream { get; }

    /// <summary>Creates the file.</summary>
    /// <param name="path">The file's path. An existing file is never overwritten, and a symbolic link never followed.</param>
    /// <exception cref="ConntrackException">The file cannot be created.</exception>
    public static RecordingFile Create(string path)
    {
        string whole = Path.GetFullPath(path);
        int directory = SafeLibC.open(Path.GetDirectoryName(whole) ?? "/", O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (directory < 0)
        {
            throw Failed(path, Errno.Last);
        }

        SafeFileHandle opened = new(directory, ownsHandle: true);
        int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
        int file = SafeLibC.openat(opened, Path.GetFileName(whole), flags, s_ownerOnly);
        if (file < 0)
        {
            int errno = Errno.Last;
            opened.Dispose();
            throw Failed(path, errno);
        }

        return new RecordingFile(opened, Path.GetFileName(whole), new SafeFileHandle(file, ownsHandle: true));
    }

    /// <summary>Removes the file of a recording that holds nothing.</summary>
    public void Remove()
    {
        if (!_directory.IsClosed)
        {
            _ = SafeLibC.unlinkat(_directory, _name, 0);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Stream.Dispose();
        _directory.Dispose();
    }

    private static ConntrackException Failed(string path, int errno)
    {
        string remedy = errno == EEXIST ? "A recording never overwrites a file: choose a new name, or remove the file." : "Choose a file that can be created.";
        return new ConntrackException(ConntrackErrorReason.RecordingFailed, $"The recording {path} cannot be created: {Errno.Describe(errno)}. {remedy}");
    }
}
