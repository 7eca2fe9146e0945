using System.Buffers;

namespace Conntracker.Core.Export.Common;

/// <summary>A stream's bytes as a window that moves forward: readers look at the unread bytes, request more, and advance past what they used.</summary>
internal sealed class InputBuffer : IDisposable
{
    private const int InitialSize = 64 * 1024;

    private readonly Stream _stream;
    private byte[] _buffer;
    private int _start;
    private int _end;

    /// <summary>Opens a window on a stream, behind its UTF-8 byte order mark if it has one. The caller owns the stream.</summary>
    public InputBuffer(Stream stream)
    {
        _stream = stream;
        _buffer = ArrayPool<byte>.Shared.Rent(InitialSize);
        while (_end < 3 && Fill())
        {
        }

        if (Unread.StartsWith("\uFEFF"u8))
        {
            Advance(3);
        }
    }

    /// <summary>The bytes that were read from the stream and not yet used.</summary>
    public ReadOnlySpan<byte> Unread => _buffer.AsSpan(_start, _end - _start);

    /// <summary>True once the stream has ended: the unread bytes are the last.</summary>
    public bool IsComplete { get; private set; }

    /// <summary>Reads more bytes behind the unread ones; false when the stream has ended.</summary>
    public bool Fill()
    {
        if (_start > 0)
        {
            Unread.CopyTo(_buffer);
            (_start, _end) = (0, _end - _start);
        }

        if (_end == _buffer.Length)
        {
            byte[] larger = ArrayPool<byte>.Shared.Rent(_buffer.Length * 2);
            Unread.CopyTo(larger);
            ArrayPool<byte>.Shared.Return(_buffer);
            _buffer = larger;
        }

        int read = _stream.Read(_buffer, _end, _buffer.Length - _end);
        _end += read;
        IsComplete |= read == 0;
        return read > 0;
    }

    /// <summary>Removes bytes from the front.</summary>
    public void Advance(int count) => _start += count;

    /// <summary>Returns the buffer to the pool.</summary>
    public void Dispose()
    {
        byte[] buffer = _buffer;
        _buffer = [];
        (_start, _end) = (0, 0);
        if (buffer.Length > 0)
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}
