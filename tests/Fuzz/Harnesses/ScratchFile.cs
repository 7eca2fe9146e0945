namespace Conntracker.Tests.Fuzz.Harnesses;

/// <summary>A file in memory for readers that open files by name; one for each thread.</summary>
internal sealed class ScratchFile : IDisposable
{
    private readonly string _folder = Directory.CreateDirectory(
        Path.Combine(Directory.Exists("/dev/shm") ? "/dev/shm" : Path.GetTempPath(), $"conntracker-fuzz-{Environment.ProcessId}-{Guid.NewGuid():N}")).FullName;

    private readonly ThreadLocal<FileStream> _files;
    private int _last;

    /// <summary>Makes a folder for them.</summary>
    public ScratchFile() => _files = new ThreadLocal<FileStream>(Open, trackAllValues: true);

    /// <summary>Writes an input; gives its path, for the calling thread until its next call.</summary>
    public string Write(ReadOnlySpan<byte> input)
    {
        FileStream file = _files.Value!;
        RandomAccess.Write(file.SafeFileHandle, input, 0);
        RandomAccess.SetLength(file.SafeFileHandle, input.Length);
        return file.Name;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (FileStream each in _files.Values)
        {
            each.Dispose();
        }

        _files.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private FileStream Open() => new(
        Path.Combine(_folder, $"{Interlocked.Increment(ref _last)}"), FileMode.CreateNew, FileAccess.Write, FileShare.Read, bufferSize: 0);
}
