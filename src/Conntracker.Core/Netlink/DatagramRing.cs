using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Conntracker.Core.Netlink;

/// <summary>
/// A bounded queue of datagrams between one thread that writes and one that reads, in unmanaged memory, without a lock. Each datagram
/// lies in one piece behind its length; where it would not fit before the end of the memory, the rest is skipped.
/// </summary>
internal sealed unsafe class DatagramRing : IDisposable
{
    /// <summary>The usual capacity, in bytes: some 30,000 lines of a trace.</summary>
    public const int DefaultCapacity = 8 << 20;

    private const int HeadLength = sizeof(int);
    private const int Alignment = 8;
    private const int Skip = -1;

    private readonly int _capacity;
    private byte* _memory;

    // Both only grow; the place in the memory is the remainder. Each is written by one thread alone.
    private long _written;
    private long _read;

    /// <summary>Makes a ring.</summary>
    /// <param name="capacity">Bytes, headers and padding counted: rounded up to a multiple of eight.</param>
    public DatagramRing(int capacity = DefaultCapacity)
    {
        _capacity = Padded(capacity);
        _memory = (byte*)NativeMemory.Alloc((nuint)_capacity);
    }

    /// <summary>Frees what a ring that was not disposed holds.</summary>
    ~DatagramRing() => Free();

    /// <summary>Puts a datagram in. For the writing thread.</summary>
    /// <returns>False when there is no room: the datagram is not in, and is for the caller to count.</returns>
    public bool TryWrite(ReadOnlySpan<byte> datagram)
    {
        long written = _written;
        long free = _capacity - (written - Volatile.Read(ref _read));
        int slot = (int)(written % _capacity);
        int untilEnd = _capacity - slot;
        long needed = Padded((long)HeadLength + datagram.Length);
        bool isSkipping = needed > untilEnd;
        if (needed + (isSkipping ? untilEnd : 0) > free)
        {
            return false;
        }

        if (isSkipping)
        {
            Header(slot) = Skip;
            written += untilEnd;
            slot = 0;
        }

        Header(slot) = datagram.Length;
        datagram.CopyTo(new Span<byte>(_memory + slot + HeadLength, datagram.Length));
        Volatile.Write(ref _written, written + needed);
        return true;
    }

    /// <summary>Where the next datagram will be written, in bytes since the beginning: those before are there.</summary>
    public long End => Volatile.Read(ref _written);

    /// <summary>Whether the oldest datagram was there when <see cref="End"/> was asked for. For the reading thread.</summary>
    public bool HasBefore(long end) => _read < end;

    /// <summary>
    /// The oldest datagram, which stays where it is until <see cref="Release"/>; asked again before that, the same one. For the reading
    /// thread.
    /// </summary>
    /// <returns>False when there is none.</returns>
    public bool TryRead(out ReadOnlySpan<byte> datagram)
    {
        datagram = default;
        if (_read == Volatile.Read(ref _written))
        {
            return false;
        }

        int slot = (int)(_read % _capacity);
        if (Header(slot) == Skip)
        {
            // What is skipped and the datagram behind it were written as one: it is there.
            Volatile.Write(ref _read, _read + _capacity - slot);
            slot = 0;
        }

        datagram = new ReadOnlySpan<byte>(_memory + slot + HeadLength, Header(slot));
        return true;
    }

    /// <summary>Drops the oldest datagram: its room is the writer's again. Does nothing when there is none. For the reading thread.</summary>
    public void Release()
    {
        if (TryRead(out ReadOnlySpan<byte> datagram))
        {
            Volatile.Write(ref _read, _read + Padded((long)HeadLength + datagram.Length));
        }
    }

    /// <summary>Frees the memory. The writing thread may not use the ring any more; for the reading one it is empty.</summary>
    public void Dispose()
    {
        _read = _written;
        Free();
        GC.SuppressFinalize(this);
    }

    private static long Padded(long length) => (length + Alignment - 1) & ~(Alignment - 1L);

    private static int Padded(int length) => (int)Padded((long)length);

    // A place is a multiple of eight below the capacity, so that there is always room for a header.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private ref int Header(int slot) => ref *(int*)(_memory + slot);

    private void Free()
    {
        NativeMemory.Free(_memory);
        _memory = null;
    }
}
