using Conntracker.Core.Flows;
using Conntracker.Core.HostAddresses;
using Conntracker.Core.Native;

namespace Conntracker.Core.Packets;

/// <summary>
/// Does for packets what connection tracking does in the kernel: finds the flow of a packet and its originator, follows its state, counts, and closes
/// flows that have ended or been idle for too long.
/// </summary>
internal sealed class PacketTracker
{
    // Connection tracking treats an answered UDP flow as a stream when it continues after this time.
    private static readonly long s_streamAge = TimeSpan.FromSeconds(2).Ticks;

    private readonly FlowTable _flows;

    /// <param name="flows">Gets the flows.</param>
    public PacketTracker(FlowTable flows) => _flows = flows;

    /// <summary>Decides who began a flow.</summary>
    public Originator Originator { get; } = new();

    /// <summary>Handles a packet.</summary>
    /// <param name="packet">The packet; its id is cleared when it is not an ICMP query.</param>
    /// <param name="length">Its length, from the IP header on.</param>
    /// <param name="now">When it arrived: ticks of UTC.</param>
    /// <param name="addresses">The host's addresses.</param>
    /// <param name="slot">The slot of its flow; -1 for an ICMP error about an unknown flow.</param>
    /// <returns><see cref="ApplyOutcome.Added"/>, <see cref="ApplyOutcome.Reopened"/> or <see cref="ApplyOutcome.Known"/>.</returns>
    public ApplyOutcome Take(ref PacketTuple packet, uint length, long now, LocalAddresses addresses, out int slot)
    {
        Normalize(ref packet.Key);
        slot = Find(in packet.Key, out bool isReply);
        if (packet.IsIcmpError)
        {
            // As in the kernel: an error belongs to the flow that caused it, but is neither counted nor an answer.
            return ApplyOutcome.Known;
        }

        ApplyOutcome outcome = ApplyOutcome.Known;
        if (slot < 0 || !IsOfConnection(slot, in packet, now))
        {
            isReply = Originator.IsReply(in packet, addresses);
            FlowKey original = isReply ? FlowKey.Reverse(in packet.Key) : packet.Key;
            outcome = _flows.Open(in original, now, out slot);
            Originator.AddBeginning(in original, addresses);
        }

        _flows.CountPacket(slot, isReply, length, now);
        ref FlowRecord record = ref _flows[slot];
        if (record.Folding == FlowFolding.None)
        {
            Track(slot, ref record, in packet, isReply, now);
        }

        return outcome;
    }

    /// <summary>Closes the flows that have been idle for too long.</summary>
    /// <param name="now">The time up to which all packets have arrived: ticks of UTC.</param>
    public void Expire(long now)
    {
        for (int slot = 0; slot < _flows.SlotCount; slot++)
        {
            ref FlowRecord record = ref _flows[slot];
            if (!record.IsUsed || !record.IsOfPackets || record.IsClosed)
            {
                continue;
            }

            // The last packet is later than now: the host's clock was set back. The flow is idle from now on.
            record.LastSeen = Math.Min(record.LastSeen, now);
            record.FirstSeen = Math.Min(record.FirstSeen, record.LastSeen);
            if (now - record.LastSeen > FlowTimeouts.Of(in record))
            {
                _flows.CloseFlow(slot);
            }
        }
    }

    // Open flows first: when an earlier flow with exchanged ends is closed, the packet belongs to the later one.
    private int Find(ref readonly FlowKey key, out bool isReply)
    {
        isReply = false;
        int original = _flows.Find(in key);
        if (original >= 0 && !_flows[original].IsClosed)
        {
            return original;
        }

        FlowKey reverse = FlowKey.Reverse(in key);
        int reply = _flows.Find(in reverse);
        isReply = reply >= 0 && (original < 0 || !_flows[reply].IsClosed);
        return isReply ? reply : original;
    }

    private bool IsOfConnection(int slot, ref readonly PacketTuple packet, long now)
    {
        ref FlowRecord record = ref _flows[slot];
        if (record.Folding != FlowFolding.None)
        {
            return !record.IsClosed;
        }

        bool isIdle = now - record.LastSeen > FlowTimeouts.Of(in record);
        if (isIdle && !record.IsClosed)
        {
            _flows.CloseFlow(slot);
        }

        // A late packet belongs to the connection that has ended, but one that begins a connection does not. Neither does any packet of a flow that
        // was closed because it was idle: packets may be delivered later than the clock ran.
        return !isIdle && (!record.IsClosed || (HasEnded(in record) && !IsBeginning(in packet)));
    }

    private static bool IsBeginning(ref readonly PacketTuple packet) => packet.HasTransportFlags && packet.Key.Protocol switch
    {
        FlowProtocol.Tcp => TcpTracking.IsBeginning(packet.TransportFlags),
        FlowProtocol.Sctp => SctpTracking.IsBeginning(packet.TransportFlags),
        FlowProtocol.Dccp => DccpTracking.IsBeginning(packet.TransportFlags),
        _ => false,
    };

    private static bool IsReset(ref readonly PacketTuple packet) =>
        packet.HasTransportFlags && packet.Key.Protocol == FlowProtocol.Tcp && TcpTracking.IsReset(packet.TransportFlags);

    private void Track(int slot, ref FlowRecord record, ref readonly PacketTuple packet, bool isReply, long now)
    {
        byte state = record.ProtocolState;
        SeenDirections signs = record.SeenDirections;
        bool wasAnswered = (signs & SeenDirections.BothSpoken) == SeenDirections.BothSpoken;
        if (!IsReset(in packet))
        {
            // As in the kernel: a refusal is not an answer.
            signs |= isReply ? SeenDirections.ReplySpoken : SeenDirections.Spoken;
        }

        if (packet.HasTransportFlags)
        {
            record.ProtocolState = packet.Key.Protocol switch
            {
                FlowProtocol.Tcp => (byte)TcpTracking.Next((TcpState)state, packet.TransportFlags, isReply, ref signs),
                FlowProtocol.Sctp => (byte)SctpTracking.Next((SctpState)state, packet.TransportFlags, isReply),
                FlowProtocol.Dccp => (byte)DccpTracking.Next((DccpState)state, packet.TransportFlags, isReply),
                _ => state,
            };
        }

        bool isAnswered = (signs & SeenDirections.BothSpoken) == SeenDirections.BothSpoken;
        if (isAnswered && (record.Status & ConntrackConstants.IPS_SEEN_REPLY) == 0)
        {
            record.Status |= ConntrackConstants.IPS_SEEN_REPLY;
            record.Flags |= FlowFlags.Replied;
            Originator.AddAnswer(in record.Key);
        }

        record.Status |= isAnswered && IsStable(in record, wasAnswered, now) ? ConntrackConstants.IPS_ASSURED : 0u;
        record.SeenDirections = signs;
        if (HasEnded(in record))
        {
            _flows.CloseFlow(slot);
        }
    }

    // Protocols without a state of their own are stable after a packet that follows the answer.
    private static bool IsStable(ref readonly FlowRecord record, bool wasAnswered, long now) => record.Key.Protocol switch
    {
        FlowProtocol.Tcp => (TcpState)record.ProtocolState == TcpState.Established,
        FlowProtocol.Udp or FlowProtocol.UdpLite => wasAnswered && now - record.FirstSeen > s_streamAge,
        FlowProtocol.Sctp => (SctpState)record.ProtocolState == SctpState.Established,
        FlowProtocol.Dccp => (DccpState)record.ProtocolState == DccpState.Open,
        FlowProtocol.Gre => wasAnswered,
        _ => false,
    };

    private static bool HasEnded(ref readonly FlowRecord record) => record.Key.Protocol switch
    {
        FlowProtocol.Tcp => TcpTracking.HasEnded((TcpState)record.ProtocolState),
        FlowProtocol.Sctp => (SctpState)record.ProtocolState == SctpState.Closed,
        FlowProtocol.Dccp => (DccpState)record.ProtocolState == DccpState.TimeWait,
        _ => false,
    };

    // Only queries have an id. The same bytes of other messages would make a flow of each.
    private static void Normalize(ref FlowKey key)
    {
        if (FlowKey.IsIcmp(key.Protocol) && !Icmp.HasId(key.Protocol, key.Original.IcmpType))
        {
            key.Original.SrcPort = 0;
        }
    }
}
