using Conntracker.Core.Flows;
using Conntracker.Core.Tracing.Nftables;

namespace Conntracker.Core.Tracing;

/// <summary>Joins a traced packet with its flow, and adds to the flow what the packet's messages report.</summary>
internal sealed class PacketJoin
{
    private readonly FlowTable _flows;
    private readonly FlowLocator _locator;
    private readonly TraceWriter _details;
    private readonly TraceRequestBook _requests;

    public PacketJoin(FlowTable flows, FlowLocator locator, TraceWriter details, TraceRequestBook requests)
    {
        _flows = flows;
        _locator = locator;
        _details = details;
        _requests = requests;
    }

    /// <summary>Whether flows of a packet's protocol are kept.</summary>
    public bool Keeps(ref readonly PacketInFlight packet) => _details.Keeps(packet.Header.Protocol);

    /// <summary>Looks for a packet's flow. Creates it if the packet is the first one of a connection that is not reported yet.</summary>
    /// <param name="packet">The packet; it has no flow yet.</param>
    /// <param name="isReply">Whether connection tracking says that it travels in the reply direction.</param>
    /// <param name="isEstablished">Whether connection tracking says that its connection is established.</param>
    public void Locate(ref PacketInFlight packet, bool isReply = false, bool isEstablished = false)
    {
        if (!packet.HasHeader)
        {
            // For IPv6 with extension headers the kernel does not show where the ports are.
            if (packet.ConntrackId != 0 && _locator.Find(packet.ConntrackId) is >= 0 and int named)
            {
                packet.IsReply = isReply;
                Join(ref packet, named);
            }

            return;
        }

        if (!Keeps(in packet))
        {
            return;
        }

        // An error without the packet that caused it is known only by its connection.
        int slot = packet.IsBareError ? -1 : _locator.Find(in packet.Header, out packet.IsReply);
        if (packet.ConntrackId != 0 && (slot < 0 || _flows[slot].Id != packet.ConntrackId) && _locator.Find(packet.ConntrackId) is >= 0 and int known)
        {
            slot = known;
            packet.IsReply = isReply;
        }

        if (slot < 0 && isEstablished)
        {
            // An open connection that is not in the table was aggregated at the flow limit. Its reply tuple is derived without NAT.
            FlowKey original = isReply ? FlowKey.Reverse(in packet.Header) : packet.Header;
            slot = _flows.FindFolded(in original);
            packet.IsReply = isReply;
        }

        if (slot < 0 && packet.ConntrackId != 0 && !isReply && !packet.IsError && !packet.IsCounted)
        {
            slot = _details.Create(in packet.Header, packet.Time);
            packet.IsReply = false;
        }

        if (slot >= 0)
        {
            Join(ref packet, slot);
        }
    }

    /// <summary>Looks for the flow of a packet in every zone, if the id of its connection is not known.</summary>
    public void LocateInAnyZone(ref PacketInFlight packet)
    {
        if (packet.HasHeader && packet.ConntrackId == 0 && !packet.IsBareError
            && _locator.FindInAnyZone(in packet.Header, out packet.IsReply) is >= 0 and int zoned)
        {
            Join(ref packet, zoned);
        }
    }

    /// <summary>Creates the flow of which a packet is the first one.</summary>
    public void Create(ref PacketInFlight packet)
    {
        packet.IsReply = false;
        packet.IsError = false;
        Join(ref packet, _details.Create(in packet.Header, packet.Time));
    }

    /// <summary>Adds a packet to its flow: its count, its steps so far, its connection's id and whether it has passed.</summary>
    public void Join(ref PacketInFlight packet, int slot)
    {
        packet.FlowSlot = slot;
        packet.FlowFirstSeen = _flows[slot].FirstSeen;
        if (!packet.IsCounted)
        {
            _details.CountPacket(slot, packet.Time);
        }

        _requests.Count(in _flows[slot], packet.IsCounted ? 0 : 1, packet.Steps.Count);
        packet.IsCounted = true;
        foreach (int step in packet.Steps.Numbers)
        {
            _details.AddStep(slot, step, packet.IsOriginal);
        }

        packet.Steps.Clear();
        if (packet.IsIncomplete)
        {
            _details.LeaveOut(slot);
        }

        AddId(ref packet);
        RecordPass(ref packet);
    }

    /// <summary>
    /// Separates a packet from a flow that has left its slot: it was merged with another, which gets the rest of the packet's steps, or was aggregated.
    /// </summary>
    public void LeaveSlot(ref PacketInFlight packet)
    {
        if (packet.HasFlow && !IsThere(in packet))
        {
            packet.FlowSlot = -1;
        }
    }

    /// <summary>
    /// Adds the connection's id of a packet to its flow. Before the conntrack hook a packet has no id: a flow may be found by the header first. The
    /// reply has the same id.
    /// </summary>
    public void AddId(ref PacketInFlight packet)
    {
        ref FlowRecord record = ref _flows[packet.FlowSlot];
        if (packet.ConntrackId == 0 || packet.IsError || record.Id == packet.ConntrackId
            || record.Folding != FlowFolding.None || _locator.Find(packet.ConntrackId) >= 0)
        {
            return;
        }

        record.Id = record.IsUnconfirmed ? packet.ConntrackId : record.Id;
        _locator.AddTuple(packet.ConntrackId, packet.FlowSlot);
    }

    /// <summary>
    /// Adds the header of a message to the flow's tuples. NAT has changed it on the way, and reports of iptables have the new one. The flow may be known
    /// only since this message.
    /// </summary>
    public void AddHeader(ref readonly PacketInFlight packet, scoped ref readonly NftTraceMessage message)
    {
        if (message.EntersBaseChain && packet.HasFlow && message.HasPacket && !message.Packet.IsIcmpError && IsThere(in packet)
            && !FlowKey.AreEqual(in message.Packet.Key, in packet.Header) && _locator.Find(in message.Packet.Key, out _) < 0)
        {
            _locator.AddTuple(in message.Packet.Key, packet.FlowSlot, packet.IsReply);
        }
    }

    /// <summary>Adds a step to the flow, or to the packet while its flow is not known.</summary>
    /// <returns>False when the packet has no room for it.</returns>
    public bool TryAddStep(ref PacketInFlight packet, int step)
    {
        if (!packet.HasFlow || !IsThere(in packet))
        {
            return packet.Steps.TryAdd(step);
        }

        _details.AddStep(packet.FlowSlot, step, packet.IsOriginal);
        _requests.Count(in _flows[packet.FlowSlot], packets: 0, steps: 1);
        return true;
    }

    /// <summary>Shows in the flow that a packet has passed our last chain, once.</summary>
    public void RecordPass(ref PacketInFlight packet)
    {
        if (packet is { Pass: PacketPass.Seen, HasFlow: true } && IsThere(in packet))
        {
            bool isFirst = _details.Pass(packet.FlowSlot, packet.IsOriginal, packet.IsReply && !packet.IsError);
            packet.Pass = isFirst ? PacketPass.RecordedFirst : PacketPass.Recorded;
        }
    }

    /// <summary>A chain of a bridge or of a device's egress, behind our last one, has dropped a packet.</summary>
    public void TakePassBack(ref PacketInFlight packet)
    {
        if (packet is { Pass: PacketPass.RecordedFirst, HasFlow: true } && IsThere(in packet))
        {
            _details.TakePassBack(packet.FlowSlot);
        }

        packet.Pass = PacketPass.No;
    }

    /// <summary>Shows in the flow of a packet, if it is known, that steps are missing.</summary>
    public void LeaveOut(ref readonly PacketInFlight packet)
    {
        if (packet.HasFlow && IsThere(in packet))
        {
            _details.LeaveOut(packet.FlowSlot);
        }
    }

    private bool IsThere(ref readonly PacketInFlight packet) =>
        _flows[packet.FlowSlot].IsUsed && _flows[packet.FlowSlot].FirstSeen == packet.FlowFirstSeen;
}
