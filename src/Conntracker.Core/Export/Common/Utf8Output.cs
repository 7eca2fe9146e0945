using System.Buffers;

namespace Conntracker.Core.Export.Common;

/// <summary>A pooled buffer in front of a stream: lines are formatted in place and leave in large writes.</summary>
internal sealed class Utf8Output(Stream stream) : IDisposable
{
    private const int Size = 128 * 1024;

    private byte[] _buffer = ArrayPool<byte>.Shared.Rent(Size);
    private int _used;

    /// <summary>Room for at least <paramref name="size"/> bytes, no more than half the buffer; what was written counts after <see cref="Advance"/>.</summary>
    public Span<byte> Reserve(int size)
    {
        if (_buffer.Length - _used < size)
        {
            Flush();
        }

        return _buffer.AsSpan(_used);
    }

    /// <summary>Takes the first bytes of what <see cref="Reserve"/> gave as written.</summary>
    public void Advance(int count) => _used += count;

    /// <summary>Writes bytes of any number.</summary>
    public void Write(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length > _buffer.Length - _used)
        {
            Flush();
            if (bytes.Length > _buffer.Length)
            {
                stream.Write(bytes);
                return;
            }
        }

        bytes.CopyTo(_buffer.AsSpan(_used));
        _used += bytes.Length;
    }

    /// <summary>Hands what is buffered to the stream, which is not flushed itself.</summary>
    public void Flush()
    {
        int count = _used;
        _used = 0;
        stream.Write(_buffer, 0, count);
    }

    /// <summary>Gives the buffer back. What was not flushed is dropped: a writer that failed must not write more.</summary>
    public void Dispose()
    {
        byte[] buffer = _buffer;
        _buffer = [];
        if (buffer.Length > 0)
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}
