using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Text;

namespace Conntracker.Core.Recording;

/// <summary>
/// Writes a recording. Messages go into buffers that a separate thread writes to the file, so that a slow disk does not keep the capture from
/// reading events. When the buffers are full, messages are left out and counted, and a message in the recording says how many are missing
/// there. When the disk is full or the file's limit is reached, the recording ends there, complete up to its last whole message. The
/// capture continues, and <see cref="Failure"/> says why the recording ended.
/// </summary>
internal sealed class RecordingWriter : IDisposable
{
    /// <summary>The default limit of a recording: 4 GiB, about 18 million events.</summary>
    public const long DefaultMaximumLength = 4L << 30;

    // A quarter of a million events. A flood brings at least that many in a second.
    private const int MaximumBuffers = 64;
    private const int BufferLength = 1 << 20;

    // How long the end of a capture waits for the disk.
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(30);

    private readonly RecordingFile? _file;
    private readonly Stream _stream;
    private readonly string _path;
    private readonly long _maximumLength;
    private readonly bool _waits;
    private readonly BlockingCollection<byte[]> _empty = [];
    private readonly BlockingCollection<(byte[] Buffer, int Used)> _full = [];
    private readonly Thread _thread;
    private byte[]? _buffer = NewBuffer();
    private int _buffers = 1;
    private int _used;
    private long _submitted;
    private long _written;
    private long _missing;
    private volatile string? _failure;

    /// <summary>Writes to a stream that already holds the file's header.</summary>
    /// <param name="stream">The stream to write to.</param>
    /// <param name="path">The file's path, for error messages.</param>
    /// <param name="maximumLength">The limit of the recording, in bytes.</param>
    /// <param name="waits">Whether to wait for the disk instead of leaving messages out: for sources that can wait.</param>
    internal RecordingWriter(Stream stream, string path, long maximumLength, bool waits)
    {
        _stream = stream;
        _path = path;
        _maximumLength = maximumLength;
        _waits = waits;
        _submitted = _written = stream.Position;
        _thread = new Thread(WriteBuffers) { IsBackground = true, Name = "conntracker recording" };
        _thread.Start();
    }

    private RecordingWriter(RecordingFile file, string path, long maximumLength, bool waits)
        : this(file.Stream, path, maximumLength, waits) => _file = file;

    /// <summary>Why the recording ended early; otherwise null.</summary>
    public string? Failure => _failure;

    /// <summary>The number of bytes written to the disk.</summary>
    public long Written => Interlocked.Read(ref _written);

    /// <summary>The number of messages that are missing in the recording, because the disk was too slow.</summary>
    public long Lost { get; private set; }

    /// <summary>Creates the file and writes its header.</summary>
    /// <param name="path">A new file. An existing file is never overwritten, and a symbolic link never followed.</param>
    /// <param name="startTime">Ticks of UTC.</param>
    /// <param name="kernel">The kernel that sends the messages.</param>
    /// <param name="maximumLength">The limit of the recording, in bytes.</param>
    /// <param name="waits">Whether to wait for the disk instead of leaving messages out: for sources that can wait.</param>
    /// <exception cref="ConntrackException">The file cannot be created.</exception>
    public static RecordingWriter Create(string path, long startTime, string kernel, long maximumLength = DefaultMaximumLength, bool waits = false)
    {
        RecordingFile file = RecordingFile.Create(path);
        try
        {
            file.Stream.Write(Header(startTime, kernel));
            return new RecordingWriter(file, path, maximumLength, waits);
        }
        catch (Exception error)
        {
            file.Remove();
            file.Dispose();
            if (error is IOException or UnauthorizedAccessException)
            {
                throw new ConntrackException(ConntrackErrorReason.RecordingFailed, $"The recording {path} cannot be written: {error.Message}", error);
            }

            throw;
        }
    }

    /// <summary>Writes a message.</summary>
    public void Write(MessageKind kind, long time, ReadOnlySpan<byte> data)
    {
        if (_failure is not null)
        {
            return;
        }

        int length = RecordingFormat.MessageHeaderLength + data.Length;
        if (_submitted + _used + length + RecordingFormat.MessageHeaderLength > _maximumLength && kind != MessageKind.End)
        {
            _ = TryAppend(MessageKind.End, time, []);
            Submit();
            _failure ??= $"The recording {_path} has reached its limit of {_maximumLength} bytes and ends. The capture continues.";
            return;
        }

        if (!TryAppendMissing(time) || !TryAppend(kind, time, data))
        {
            _missing++;
            Lost++;
        }
    }

    /// <summary>Ends the recording: waits, within bounds, until the disk has taken it.</summary>
    public void Finish(long time)
    {
        if (_buffer is null && _empty.TryTake(out byte[]? buffer, s_patience))
        {
            _buffer = buffer;
        }

        Write(MessageKind.End, time, []);
        End(s_patience);
    }

    /// <summary>Closes the file and removes it: it holds nothing.</summary>
    public void Discard()
    {
        _file?.Remove();
        Dispose();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        End(TimeSpan.FromSeconds(1));
        _stream.Dispose();
        _file?.Dispose();
    }

    private void End(TimeSpan patience)
    {
        if (_full.IsAddingCompleted)
        {
            return;
        }

        Submit();
        _full.CompleteAdding();
        if (!_thread.Join(patience))
        {
            _failure ??= $"The recording {_path} ends early: the disk did not write the rest within {patience.TotalSeconds:0} seconds.";
        }
    }

    private bool TryAppendMissing(long time)
    {
        if (_missing == 0)
        {
            return true;
        }

        Span<byte> data = stackalloc byte[sizeof(long)];
        BinaryPrimitives.WriteInt64LittleEndian(data, _missing);
        if (!TryAppend(MessageKind.RecordingLost, time, data))
        {
            return false;
        }

        _missing = 0;
        return true;
    }

    private bool TryAppend(MessageKind kind, long time, ReadOnlySpan<byte> data)
    {
        int length = RecordingFormat.MessageHeaderLength + data.Length;
        if (_buffer is null || _used + length > _buffer.Length)
        {
            Submit();
            _buffer ??= GetBuffer();
            if (_buffer is null)
            {
                return false;
            }
        }

        Span<byte> message = _buffer.AsSpan(_used);
        BinaryPrimitives.WriteInt32LittleEndian(message, data.Length);
        message[4] = (byte)kind;
        BinaryPrimitives.WriteInt64LittleEndian(message[5..], time);
        uint checksum = RecordingFormat.Checksum(RecordingFormat.Checksum(0, message[..13]), data);
        BinaryPrimitives.WriteUInt32LittleEndian(message[13..], checksum);
        data.CopyTo(message[RecordingFormat.MessageHeaderLength..]);
        _used += length;
        return true;
    }

    private void Submit()
    {
        if (_buffer is not null && _used > 0)
        {
            _full.Add((_buffer, _used));
            _submitted += _used;
            _buffer = null;
            _used = 0;
        }
    }

    private byte[]? GetBuffer()
    {
        if (_empty.TryTake(out byte[]? buffer))
        {
            return buffer;
        }

        if (_buffers < MaximumBuffers)
        {
            _buffers++;
            return NewBuffer();
        }

        return _waits ? _empty.Take() : null;
    }

    private void WriteBuffers()
    {
        bool hasFailed = false;
        foreach ((byte[] buffer, int used) in _full.GetConsumingEnumerable())
        {
            try
            {
                if (!hasFailed)
                {
                    _stream.Write(buffer.AsSpan(0, used));
                    Interlocked.Add(ref _written, used);
                }
            }
            catch (Exception error) when (error is IOException or UnauthorizedAccessException or ObjectDisposedException)
            {
                // Nothing may follow a gap in the file.
                hasFailed = true;
                _failure ??= $"The recording {_path} ends early, after {Written} bytes: {error.Message} The capture continues.";
            }

            _empty.Add(buffer);
        }
    }

    private static byte[] NewBuffer() => GC.AllocateUninitializedArray<byte>(BufferLength);

    private static byte[] Header(long startTime, string kernel)
    {
        byte[] name = Encoding.UTF8.GetBytes(kernel);
        byte[] header = new byte[RecordingFormat.FixedHeaderLength + sizeof(long) + name.Length + sizeof(uint)];
        RecordingFormat.Magic.CopyTo(header);
        BinaryPrimitives.WriteUInt16LittleEndian(header.AsSpan(8), RecordingFormat.Version);
        BinaryPrimitives.WriteUInt16LittleEndian(header.AsSpan(10), (ushort)(sizeof(long) + name.Length));
        BinaryPrimitives.WriteInt64LittleEndian(header.AsSpan(12), startTime);
        name.CopyTo(header, 20);
        int length = 20 + name.Length;
        BinaryPrimitives.WriteUInt32LittleEndian(header.AsSpan(length), RecordingFormat.Checksum(0, header.AsSpan(0, length)));
        return header;
    }
}
