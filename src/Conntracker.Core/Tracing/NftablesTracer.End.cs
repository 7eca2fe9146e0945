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
            bool waits = before != long.MaxValue && ((MayLackFlows && packet.Place < 0) || (packet.IsQueued && packet.Time + s_longestWay >= before));
            if (packet.Phase != PacketPhase.None && !waits)
            {
                Conclude(slot);
            }
        }
    }

    // Nothing more is reported of this packet. Its flow may still become known, if it is a reply behind NAT.
    private void End(int slot)
    {
        ref PacketInFlight packet = ref _slots[slot];
        LeaveSlot(ref packet);
        if (packet.Place < 0)
        {
            Locate(slot, isReply: false, isEstablished: false);
        }

        if (packet.Place < 0 && (packet.MayBeAnswer || packet.IsError || MayLackFlows))
        {
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
        else
        {
            Conclude(slot);
        }
    }

    // Too many packets are on their way: the steps of this one so far must suffice.
    private void GiveUp(int slot)
    {
        ref PacketInFlight packet = ref _slots[slot];
        bool isLoss = !packet.HasPassed || packet.Place < 0;
        Incomplete += isLoss && !packet.IsCut ? 1 : 0;
        packet.IsCut |= isLoss;
        if (isLoss && packet.Place >= 0 && IsThere(in packet))
        {
            _details.LeaveOut(packet.Place);
        }

        Conclude(slot);
    }

    // Adds what is known of a packet to its flow, which is created when there is none.
    private void Conclude(int slot)
    {
        ref PacketInFlight packet = ref _slots[slot];
        LeaveSlot(ref packet);
        if (packet.Place < 0)
        {
            Locate(slot, isReply: false, isEstablished: false);
        }

        if (packet.Place < 0 && packet.HasHeader && packet.ConntrackId == 0 && !packet.IsBareError
            && _locator.FindInAnyZone(in packet.Header, out packet.IsReply) is >= 0 and int zoned)
        {
            Put(slot, zoned);
        }

        if (packet.Place < 0 && !packet.IsCounted && packet.HasHeader && (packet.StepCount > 0 || packet.HasPassed) && _details.Keeps(packet.Header.Protocol))
        {
            MakeFlow(slot);
        }

        NotePass(ref packet);
        packet.Phase = PacketPhase.None;
        Forget(in packet, slot);
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
        else if (_slots[slot].Place < 0)
        {
            Locate(slot, isReply: false, isEstablished: false);
        }
    }

    private void MakeFlow(int slot)
    {
        ref PacketInFlight packet = ref _slots[slot];
        if (packet.IsError && packet.HasPassed)
        {
            // An error belongs to the flow that caused it, and is not a flow itself: this one's is not known.
            Incomplete += packet.IsCut ? 0 : 1;
        }
        else if (packet.HasPassed && _slots.FindAnswered(in packet) is >= 0 and int answered)
        {
            // The firewall's own reply was reported before the rule that sends it: the flow is that of the packet it replies to.
            _slots[answered].IsReply = false;
            Put(answered, _details.Create(in _slots[answered].Header, _slots[answered].Time));
            packet.IsReply = true;
            Put(slot, _slots[answered].Place);
        }
        else
        {
            packet.IsReply = false;
            packet.IsError = false;
            Put(slot, _details.Create(in packet.Header, packet.Time));
        }
    }
}
