using System.Buffers.Text;
using System.Diagnostics;
using System.IO.MemoryMappedFiles;
using System.Text;

namespace Conntracker.Tests.Fuzz;

/// <summary>
/// Which input a worker runs, kept in a mapped file: it is there also when the process itself is killed by the input (a stack overflow, a wrong
/// pointer). Another thread may look at it.
/// </summary>
internal sealed unsafe class RunningInput : IProgress<ulong>, IDisposable
{
    private const int Length = 256;
    private const int NumberLength = 20;

    private readonly string _path;
    private readonly MemoryMappedFile _file;
    private readonly MemoryMappedViewAccessor _view;
    private readonly byte* _bytes;
    private int _numberAt;
    private long _since;
    private long _number;

    /// <summary>Makes the file.</summary>
    /// <param name="folder">Where.</param>
    /// <param name="worker">The worker's number.</param>
    public RunningInput(string folder, int worker)
    {
        Directory.CreateDirectory(folder);
        _path = Path.Combine(folder, $"running-{worker}.txt");
        _file = MemoryMappedFile.CreateFromFile(_path, FileMode.Create, null, Length);
        _view = _file.CreateViewAccessor();
        _view.SafeMemoryMappedViewHandle.AcquirePointer(ref _bytes);
    }

    /// <summary>The harness that runs; null between two.</summary>
    public Harness? Harness { get; private set; }

    /// <summary>How long the current input has been running, and its number; zero when none does.</summary>
    public (TimeSpan Time, ulong Number) Now
    {
        get
        {
            ulong number = (ulong)Volatile.Read(ref _number);
            long since = Volatile.Read(ref _since);
            return since == 0 ? default : (Stopwatch.GetElapsedTime(since), number);
        }
    }

    /// <summary>A harness begins.</summary>
    public void Begin(Harness harness, ulong seed)
    {
        Harness = harness;
        byte[] text = Encoding.ASCII.GetBytes($"{harness.Name} {seed} ");
        _numberAt = text.Length;
        Span<byte> file = new(_bytes, Length);
        file.Fill((byte)' ');
        text.CopyTo(file);
        file[_numberAt + NumberLength] = (byte)'\n';
    }

    /// <summary>It has ended.</summary>
    public void End() => Volatile.Write(ref _since, 0);

    /// <inheritdoc/>
    public void Report(ulong value)
    {
        Volatile.Write(ref _number, (long)value);
        Volatile.Write(ref _since, Stopwatch.GetTimestamp());
        Utf8Formatter.TryFormat(value, new Span<byte>(_bytes + _numberAt, NumberLength), out _, new System.Buffers.StandardFormat('D', NumberLength));
    }

    /// <summary>Removes the file: nothing has killed the process.</summary>
    public void Dispose()
    {
        _view.SafeMemoryMappedViewHandle.ReleasePointer();
        _view.Dispose();
        _file.Dispose();
        File.Delete(_path);
    }
}
