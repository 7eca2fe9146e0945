using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Conntracker.Core.Recording;

namespace Conntracker.Core.Feeds;

/// <summary>
/// Packets as they came, in unmanaged memory that is used again and again: each one's time and frame (<see cref="MessageKind.Packet"/>), cut to
/// what tells of its flow.
/// </summary>
internal sealed unsafe class PacketBatch : IDisposable
{
    /// <summary>How many bytes of a packet are kept: Ethernet with two VLAN tags, IPv6, and the packet that an ICMPv6 error is about.</summary>
    public const int SnapLength = 128;

    /// <summary>Bytes of a frame before the packet's own: its length on the wire.</summary>
    public const int HeadLength = sizeof(uint);

    private const int Stride = HeadLength + SnapLength;

    private readonly int _capacity;
    private byte* _frames;
    private ushort* _lengths;
    private long* _times;

    /// <summary>Makes an empty batch.</summary>
    /// <param name="capacity">Packets that it holds.</param>
    public PacketBatch(int capacity)
    {
        _capacity = capacity;
        _frames = (byte*)NativeMemory.Alloc((nuint)capacity, Stride);
        _lengths = (ushort*)NativeMemory.Alloc((nuint)capacity, sizeof(ushort));
        _times = (long*)NativeMemory.Alloc((nuint)capacity, sizeof(long));
    }

    /// <summary>Frees what a batch that was not disposed holds.</summary>
    ~PacketBatch() => Release();

    /// <summary>How many packets it holds at most.</summary>
    public int Capacity => _capacity;

    /// <summary>How many packets it holds.</summary>
    public int Count { get; private set; }

    /// <summary>A packet's frame.</summary>
    public ReadOnlySpan<byte> this[int index] => new(_frames + (index * Stride), _lengths[index]);

    /// <summary>When a packet came: ticks of UTC.</summary>
    public long TimeOf(int index) => _times[index];

    /// <summary>Empties it.</summary>
    public void Clear() => Count = 0;

    /// <summary>Adds a packet; there is room.</summary>
    /// <param name="time">When it came: ticks of UTC.</param>
    /// <param name="length">Its length on the wire.</param>
    /// <param name="packet">Its first bytes.</param>
    public void Add(long time, uint length, ReadOnlySpan<byte> packet)
    {
        int kept = Math.Min(packet.Length, SnapLength);
        Span<byte> frame = new(_frames + (Count * Stride), HeadLength + kept);
        BinaryPrimitives.WriteUInt32LittleEndian(frame, length);
        packet[..kept].CopyTo(frame[HeadLength..]);
        _lengths[Count] = (ushort)frame.Length;
        _times[Count] = time;
        Count++;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Release();
        GC.SuppressFinalize(this);
    }

    private void Release()
    {
        NativeMemory.Free(_frames);
        NativeMemory.Free(_lengths);
        NativeMemory.Free(_times);
        _frames = null;
        _lengths = null;
        _times = null;
    }
}
