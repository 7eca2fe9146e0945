using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Conntracker.Core.Netlink;

/// <summary>
/// A bounded queue of datagrams between one writing and one reading thread, in unmanaged memory, without a lock. Each datagram is contiguous and
/// follows its length. If it does not fit before the end of the memory, the rest is skipped.
/// </summary>
internal sealed unsafe class DatagramRing : IDisposable
{
    /// <summary>The usual capacity, in bytes: some 30,000 lines of a trace.</summary>
    public const int DefaultCapacity = 8 << 20;

    private const int HeaderLength = sizeof(int);
    private const int Alignment = 8;
    private const int Skip = -1;

    private readonly int _capacity;
    private byte* _memory;

    // Both only grow; the offset in the memory is the remainder. Each is written by one thread only.
    private long _written;
    private long _read;

    /// <summary>Allocates the memory.</summary>
    /// <param name="capacity">Bytes, including headers and padding; rounded up to a multiple of eight.</param>
    public DatagramRing(int capacity = DefaultCapacity)
    {
        _capacity = Padded(capacity);
        _memory = (byte*)NativeMemory.Alloc((nuint)_capacity);
    }

    /// <summary>Frees the memory of a ring that was not disposed.</summary>
    ~DatagramRing() => Free();

    /// <summary>Appends a datagram. For the writing thread.</summary>
    /// <returns>False if there is no room: the datagram is not queued, and the caller counts it.</returns>
    public bool TryWrite(ReadOnlySpan<byte> datagram)
    {
        long written = _written;
        long free = _capacity - (written - Volatile.Read(ref _read));
        int slot = (int)(written % _capacity);
        int untilEnd = _capacity - slot;
        long needed = Padded((long)HeaderLength + datagram.Length);
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
        datagram.CopyTo(new Span<byte>(_memory + slot + HeaderLength, datagram.Length));
        Volatile.Write(ref _written, written + needed);
        return true;
    }

    /// <summary>The position of the next datagram, in bytes since the beginning: all datagrams before it are queued.</summary>
    public long End => Volatile.Read(ref _written);

    /// <summary>Whether the oldest datagram was queued before that <see cref="End"/> was read. For the reading thread.</summary>
    public bool HasBefore(long end) => _read < end;

    /// <summary>The oldest datagram. It stays queued, and is returned again, until <see cref="Release"/>. For the reading thread.</summary>
    /// <returns>False if the queue is empty.</returns>
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
            // The skipped rest and the datagram after it were published together, so the datagram is complete.
            Volatile.Write(ref _read, _read + _capacity - slot);
            slot = 0;
        }

        datagram = new ReadOnlySpan<byte>(_memory + slot + HeaderLength, Header(slot));
        return true;
    }

    /// <summary>Removes the oldest datagram and returns its memory to the writer. Does nothing if the queue is empty. For the reading thread.</summary>
    public void Release()
    {
        if (TryRead(out ReadOnlySpan<byte> datagram))
        {
            Volatile.Write(ref _read, _read + Padded((long)HeaderLength + datagram.Length));
        }
    }

    /// <summary>Frees the memory. The writing thread must have stopped using the ring; for the reading one it is empty.</summary>
    public void Dispose()
    {
        _read = _written;
        Free();
        GC.SuppressFinalize(this);
    }

    private static long Padded(long length) => (length + Alignment - 1) & ~(Alignment - 1L);

    private static int Padded(int length) => (int)Padded((long)length);

    // An offset is a multiple of eight below the capacity, so that there is always room for a header.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private ref int Header(int slot) => ref *(int*)(_memory + slot);

    private void Free()
    {
        NativeMemory.Free(_memory);
        _memory = null;
    }
}
