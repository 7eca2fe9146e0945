using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Conntracker.Core.Recording;

namespace Conntracker.Core.Feeds;

/// <summary>
/// Captured packets in unmanaged memory that is reused: each one's time and message (<see cref="MessageKind.Packet"/>), truncated to
/// what identifies its flow.
/// </summary>
internal sealed unsafe class PacketBatch : IDisposable
{
    /// <summary>How many bytes of a packet are kept: Ethernet with two VLAN tags, IPv6, and the packet that an ICMPv6 error is about.</summary>
    public const int SnapLength = 128;

    /// <summary>Bytes of a message before the packet's own: its length on the wire.</summary>
    public const int HeaderLength = sizeof(uint);

    private const int Stride = HeaderLength + SnapLength;

    private readonly int _capacity;
    private byte* _messages;
    private ushort* _lengths;
    private long* _times;

    /// <summary>Allocates the memory.</summary>
    /// <param name="capacity">The greatest number of packets.</param>
    public PacketBatch(int capacity)
    {
        _capacity = capacity;
        _messages = (byte*)NativeMemory.Alloc((nuint)capacity, Stride);
        _lengths = (ushort*)NativeMemory.Alloc((nuint)capacity, sizeof(ushort));
        _times = (long*)NativeMemory.Alloc((nuint)capacity, sizeof(long));
    }

    /// <summary>Frees the memory of a batch that was not disposed.</summary>
    ~PacketBatch() => Release();

    /// <summary>The greatest number of packets.</summary>
    public int Capacity => _capacity;

    /// <summary>The number of packets.</summary>
    public int Count { get; private set; }

    /// <summary>A packet's message.</summary>
    public ReadOnlySpan<byte> this[int index] => new(_messages + (index * Stride), _lengths[index]);

    /// <summary>When a packet was captured: ticks of UTC.</summary>
    public long TimeOf(int index) => _times[index];

    /// <summary>Removes all packets.</summary>
    public void Clear() => Count = 0;

    /// <summary>Adds a packet. There must be room for it.</summary>
    /// <param name="time">When it was captured: ticks of UTC.</param>
    /// <param name="length">Its length on the wire.</param>
    /// <param name="packet">Its first bytes.</param>
    public void Add(long time, uint length, ReadOnlySpan<byte> packet)
    {
        int kept = Math.Min(packet.Length, SnapLength);
        Span<byte> message = new(_messages + (Count * Stride), HeaderLength + kept);
        BinaryPrimitives.WriteUInt32LittleEndian(message, length);
        packet[..kept].CopyTo(message[HeaderLength..]);
        _lengths[Count] = (ushort)message.Length;
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
        NativeMemory.Free(_messages);
        NativeMemory.Free(_lengths);
        NativeMemory.Free(_times);
        _messages = null;
        _lengths = null;
        _times = null;
    }
}
