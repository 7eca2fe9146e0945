using System.Buffers;

namespace Conntracker.Core.Export.Common;

/// <summary>A pooled buffer in front of a stream: lines are formatted in place and written in large blocks.</summary>
internal sealed class Utf8Output(Stream stream) : IDisposable
{
    private const int Size = 128 * 1024;

    private byte[] _buffer = ArrayPool<byte>.Shared.Rent(Size);
    private int _used;

    /// <summary>Returns at least <paramref name="size"/> bytes, at most half the buffer; they count as written after <see cref="Advance"/>.</summary>
    public Span<byte> Reserve(int size)
    {
        if (_buffer.Length - _used < size)
        {
            Flush();
        }

        return _buffer.AsSpan(_used);
    }

    /// <summary>Counts the first bytes of what <see cref="Reserve"/> returned as written.</summary>
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

    /// <summary>Writes the buffered bytes to the stream, which itself is not flushed.</summary>
    public void Flush()
    {
        int count = _used;
        _used = 0;
        stream.Write(_buffer, 0, count);
    }

    /// <summary>Returns the buffer to the pool. Bytes not flushed are dropped: a writer that failed must not write more.</summary>
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
