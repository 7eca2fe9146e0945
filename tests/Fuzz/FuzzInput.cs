namespace Conntracker.Tests.Fuzz;

/// <summary>
/// An input while it is being made: bytes that are changed, cut and inserted. It is used again for the next input, so that making one allocates nothing.
/// </summary>
internal sealed class FuzzInput
{
    /// <summary>The longest input, in bytes: what would be longer is cut.</summary>
    public const int MaximumLength = 1 << 14;

    private readonly byte[] _bytes = new byte[MaximumLength];
    private readonly byte[] _part = new byte[MaximumLength];

    /// <summary>Bytes that it has.</summary>
    public int Length { get; private set; }

    /// <summary>The bytes.</summary>
    public Span<byte> Bytes => _bytes.AsSpan(0, Length);

    /// <summary>Takes other bytes instead.</summary>
    public void Set(ReadOnlySpan<byte> bytes)
    {
        Length = 0;
        Insert(0, bytes);
    }

    /// <summary>Inserts bytes, as far as there is room.</summary>
    /// <param name="at">Where, from 0 to <see cref="Length"/>.</param>
    /// <param name="bytes">What. Not to be a part of this input.</param>
    public void Insert(int at, ReadOnlySpan<byte> bytes) => bytes[..MakeRoom(at, bytes.Length)].CopyTo(_bytes.AsSpan(at));

    /// <summary>Inserts a part of this input once more, or several times.</summary>
    /// <param name="at">Where, from 0 to <see cref="Length"/>.</param>
    /// <param name="from">Where the part begins.</param>
    /// <param name="length">Its length, at least 1.</param>
    /// <param name="times">How often.</param>
    public void Repeat(int at, int from, int length, int times)
    {
        Span<byte> part = _part.AsSpan(0, length);
        Bytes.Slice(from, length).CopyTo(part);
        int room = MakeRoom(at, (int)Math.Min(MaximumLength, (long)length * times));
        for (int done = 0; done < room; done += length)
        {
            part[..Math.Min(length, room - done)].CopyTo(_bytes.AsSpan(at + done));
        }
    }

    /// <summary>Takes bytes out.</summary>
    public void Remove(int at, int count)
    {
        _bytes.AsSpan(at + count, Length - at - count).CopyTo(_bytes.AsSpan(at));
        Length -= count;
    }

    /// <summary>Cuts it off.</summary>
    public void Cut(int length) => Length = length;

    private int MakeRoom(int at, int count)
    {
        count = Math.Min(count, MaximumLength - Length);
        _bytes.AsSpan(at, Length - at).CopyTo(_bytes.AsSpan(at + count));
        Length += count;
        return count;
    }
}
