using System.Buffers.Binary;
using Conntracker.Core.Flows;
using Conntracker.Core.HostAddresses;

namespace Conntracker.Core.Packets;

/// <summary>Turns packets into flows: reads their headers, joins fragments, and keeps the counters.</summary>
internal sealed class PacketHandler
{
    private const int HeaderLength = sizeof(uint);
    private const int SmallestIPv4 = 20;

    private readonly PacketTracker _tracker;
    private readonly FragmentCache _fragments = new();
    private readonly Func<FlowProtocol, bool> _keeps;
    private int _linkType = -1;

    /// <param name="flows">Gets the flows.</param>
    /// <param name="keeps">Whether a protocol is captured.</param>
    public PacketHandler(FlowTable flows, Func<FlowProtocol, bool> keeps)
    {
        _tracker = new PacketTracker(flows);
        _keeps = keeps;
    }

    /// <summary>Decides who began a flow.</summary>
    public Originator Originator => _tracker.Originator;

    /// <summary>How many packets were received.</summary>
    public long Packets { get; private set; }

    /// <summary>How many of them belong to no flow.</summary>
    public long Skipped { get; private set; }

    /// <summary>How many were truncated, or have headers that contradict each other.</summary>
    public long Malformed { get; private set; }

    /// <summary>Sets the link type of the packets that follow.</summary>
    /// <param name="data">A DLT_* number, 32 bits, little-endian.</param>
    public void TakeLinkType(ReadOnlySpan<byte> data) => _linkType = data.Length == sizeof(int) ? BinaryPrimitives.ReadInt32LittleEndian(data) : -1;

    /// <summary>Handles a packet.</summary>
    /// <param name="data">Its length on the wire, and its first bytes.</param>
    /// <param name="time">When it arrived: ticks of UTC.</param>
    /// <param name="addresses">The host's addresses.</param>
    /// <param name="slot">The slot of its flow; -1 for none.</param>
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

    /// <summary>Closes idle flows: all packets up to this time have arrived.</summary>
    public void Expire(long time) => _tracker.Expire(time);

    private PacketResult Decode(ReadOnlySpan<byte> data, long time, out PacketTuple packet, out uint length)
    {
        packet = default;
        length = 0;
        if (data.Length < HeaderLength)
        {
            return PacketResult.Malformed;
        }

        uint onWire = BinaryPrimitives.ReadUInt32LittleEndian(data);
        ReadOnlySpan<byte> frame = data[HeaderLength..];
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

        // Neither padding nor a length beyond the frame's end is counted.
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

        // The key of an ICMP error is that of another flow. Its later fragments get none: errors are not counted anyway.
        if (packet.Fragment == PacketFragment.First && !packet.IsIcmpError)
        {
            _fragments.Add(in packet, time);
        }

        return PacketResult.Decoded;
    }
}
