using Conntracker.Core.Flows;

namespace Conntracker.Core.Tracing;

/// <summary>The end of a packet's path, after which nothing is reported of it.</summary>
internal sealed partial class NftablesTracer
{
    /// <summary>
    /// Whether flows of connection tracking may still be missing, because its table is being read for the first time. Packets whose flow is not known
    /// wait.
    /// </summary>
    public bool MayLackFlows { get; set; }

    /// <summary>Connection tracking has reported a flow: packets that waited for it are handled before later reports.</summary>
    public void FlowAppeared(ref readonly FlowRecord record)
    {
        if (_waiting.Count == 0)
        {
            return;
        }

        FlowKey original = record.Key with { Zone = 0 };
        FlowKey reply = original with { Original = record.Reply };
        Retry(in original);
        Retry(in reply);
    }

    /// <summary>Stops waiting for more messages of packets that began before a time.</summary>
    public void Flush(long before)
    {
        // In the order of arrival: the first packet of a flow decides it.
        foreach (int slot in _slots.InOrder(before))
        {
            ref PacketInFlight packet = ref _slots[slot];
            bool waits = before != long.MaxValue && ((MayLackFlows && !packet.HasFlow) || (packet.IsQueued && packet.Time + s_longestWay >= before));
            if (packet.Phase != PacketPhase.Free && !waits)
            {
                Conclude(slot);
            }
        }
    }

    // Nothing more is reported of this packet. Its flow may still become known, if it is a reply behind NAT.
    private void End(int slot)
    {
        ref PacketInFlight packet = ref _slots[slot];
        LookAgain(ref packet);
        if (packet.HasFlow || !(packet.MayBeAnswer || packet.IsError || MayLackFlows))
        {
            Conclude(slot);
            return;
        }

        int held = _slots.TakeHeld(out bool isInUse);
        if (isInUse)
        {
            GiveUp(held);
        }

        Forget(in packet, slot);
        _slots.Hold(slot, held);
        if (packet.HasHeader)
        {
            _waiting.TryAdd(packet.Header, held);
        }
    }

    // Too many packets are on their way: the steps of this one so far must suffice.
    private void GiveUp(int slot)
    {
        ref PacketInFlight packet = ref _slots[slot];
        if (!packet.HasPassed || !packet.HasFlow)
        {
            _incomplete.Add(ref packet);
            _join.LeaveOut(in packet);
        }

        Conclude(slot);
    }

    // Adds what is known of a packet to its flow, which is created when there is none.
    private void Conclude(int slot)
    {
        ref PacketInFlight packet = ref _slots[slot];
        LookAgain(ref packet);
        if (!packet.HasFlow)
        {
            _join.LocateInAnyZone(ref packet);
        }

        if (!packet.HasFlow && !packet.IsCounted && packet.HasHeader && (packet.Steps.Count > 0 || packet.HasPassed) && _join.Keeps(in packet))
        {
            MakeFlow(ref packet);
        }

        _join.RecordPass(ref packet);
        Forget(in packet, slot);
        _slots.Free(slot);
    }

    private void LookAgain(ref PacketInFlight packet)
    {
        _join.LeaveSlot(ref packet);
        if (!packet.HasFlow)
        {
            _join.Locate(ref packet);
        }
    }

    private void Forget(ref readonly PacketInFlight packet, int slot)
    {
        if (_waiting.TryGetValue(packet.Header, out int waiting) && waiting == slot)
        {
            _waiting.Remove(packet.Header);
        }
    }

    private void Retry(ref readonly FlowKey header)
    {
        if (!_waiting.Remove(header, out int slot))
        {
            return;
        }

        if (_slots[slot].Phase == PacketPhase.Held)
        {
            Conclude(slot);
        }
        else if (!_slots[slot].HasFlow)
        {
            _join.Locate(ref _slots[slot]);
        }
    }

    private void MakeFlow(ref PacketInFlight packet)
    {
        if (packet.IsError && packet.HasPassed)
        {
            // An error belongs to the flow that caused it, and is not a flow itself: this one's is not known.
            _incomplete.Add(ref packet);
        }
        else if (packet.HasPassed && _slots.FindAnswered(in packet) is >= 0 and int answered)
        {
            // The firewall's own reply was reported before the rule that sends it: the flow is that of the packet it replies to.
            _join.Create(ref _slots[answered]);
            packet.IsReply = true;
            _join.Join(ref packet, _slots[answered].FlowSlot);
        }
        else
        {
            _join.Create(ref packet);
        }
    }
}
