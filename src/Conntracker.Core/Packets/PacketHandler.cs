using System.Buffers.Binary;
using Conntracker.Core.Flows;
using Conntracker.Core.HostAddresses;

namespace Conntracker.Core.Packets;

/// <summary>Packets in, flows out: reads a packet's headers, joins fragments, keeps the counts of the counters.</summary>
internal sealed class PacketHandler
{
    private const int HeadLength = sizeof(uint);
    private const int SmallestIPv4 = 20;

    private readonly PacketTracker _tracker;
    private readonly FragmentCache _fragments = new();
    private readonly Func<FlowProtocol, bool> _keeps;
    private int _linkType = -1;

    /// <summary>Makes an intake.</summary>
    /// <param name="flows">Gets the flows.</param>
    /// <param name="keeps">Whether a protocol is wanted.</param>
    public PacketHandler(FlowTable flows, Func<FlowProtocol, bool> keeps)
    {
        _tracker = new PacketTracker(flows);
        _keeps = keeps;
    }

    /// <summary>Says who began a flow.</summary>
    public Originator Originator => _tracker.Originator;

    /// <summary>How many packets were taken in.</summary>
    public long Packets { get; private set; }

    /// <summary>How many of them no flow tells of.</summary>
    public long Skipped { get; private set; }

    /// <summary>How many were cut off, or contradict themselves.</summary>
    public long Malformed { get; private set; }

    /// <summary>Packets with headers of this kind follow.</summary>
    /// <param name="data">A DLT_* number, 32 bits, little-endian.</param>
    public void TakeLinkType(ReadOnlySpan<byte> data) => _linkType = data.Length == sizeof(int) ? BinaryPrimitives.ReadInt32LittleEndian(data) : -1;

    /// <summary>Takes a packet in.</summary>
    /// <param name="data">Its length on the wire, and its first bytes.</param>
    /// <param name="time">When it came: ticks of UTC.</param>
    /// <param name="addresses">The host's addresses.</param>
    /// <param name="slot">Where its flow is; -1 for none.</param>
    public ApplyOutcome Take(ReadOnlySpan<byte> data, long time, LocalAddresses addresses, out int slot)
    {
        Packets++;
        slot = -1;
        switch (Decode(data, time, out PacketTuple packet, out uint length))
        {
            case PacketResult.Decoded when !_keeps(packet.Key.Protocol):
                return ApplyOutcome.Known;
            case PacketResult.Decoded:
                ApplyOutcome outcome = _tracker.Take(ref packet, length, time, addresses, out slot);
                Skipped += slot < 0 ? 1 : 0;
                return outcome;
            case PacketResult.Malformed:
                Malformed++;
                return ApplyOutcome.Known;
            default:
                Skipped++;
                return ApplyOutcome.Known;
        }
    }

    /// <summary>All packets up to this time have come.</summary>
    public void Expire(long time) => _tracker.Expire(time);

    private PacketResult Decode(ReadOnlySpan<byte> data, long time, out PacketTuple packet, out uint length)
    {
        packet = default;
        length = 0;
        if (data.Length < HeadLength)
        {
            return PacketResult.Malformed;
        }

        uint onWire = BinaryPrimitives.ReadUInt32LittleEndian(data);
        ReadOnlySpan<byte> frame = data[HeadLength..];
        PacketResult result = LinkDecoder.Find(_linkType, frame, out int offset);
        if (result != PacketResult.Decoded)
        {
            return result;
        }

        result = PacketDecoder.Decode(frame[offset..], out packet);
        if (result is PacketResult.NotIp or PacketResult.Malformed || onWire < offset || packet.Length is > 0 and < SmallestIPv4)
        {
            return result == PacketResult.NotIp ? PacketResult.NotIp : PacketResult.Malformed;
        }

        // Padding does not count, and neither does what a header claims beyond the wire's end.
        uint there = onWire - (uint)offset;
        length = packet.Length == 0 ? there : Math.Min((uint)packet.Length, there);
        if (result == PacketResult.LaterFragment)
        {
            return _fragments.TryComplete(ref packet, time) ? PacketResult.Decoded : result;
        }

        if (packet.Key.Protocol == FlowProtocol.Tcp && !packet.HasTransportFlags && !packet.IsIcmpError)
        {
            return PacketResult.Malformed;
        }

        // The key of an error is not its own: its later fragments stay without a flow, as errors are not counted anyway.
        if (packet.Fragment == PacketFragment.First && !packet.IsIcmpError)
        {
            _fragments.Add(in packet, time);
        }

        return PacketResult.Decoded;
    }
}
