namespace Conntracker.Core.Flows;

/// <summary>The table's part for flows of captured packets, without connection tracking.</summary>
internal sealed partial class FlowTable
{
    /// <summary>Begins a connection: of a new flow, or a further one of a closed flow.</summary>
    /// <param name="key">Its tuple, in the direction of its originator.</param>
    /// <param name="now">When its first packet was captured: ticks of UTC.</param>
    /// <param name="slot">The flow's slot.</param>
    public ApplyOutcome Open(ref readonly FlowKey key, long now, out int slot)
    {
        slot = Find(in key);
        if (slot < 0 && MakeRoom())
        {
            slot = Find(in key);
        }

        if (slot < 0)
        {
            slot = Add(in key, FlowFlags.OfPackets | FlowFlags.Counted, now);
            return ApplyOutcome.Added;
        }

        ref FlowRecord record = ref _store[slot];
        record.AddConnections(1);
        if (record.Folding != FlowFolding.None)
        {
            record.AddOpenConnections(1);
            return ApplyOutcome.Reopened;
        }

        record.Flags &= ~FlowFlags.Closed;
        record.Status = 0;
        record.ProtocolState = 0;
        record.SeenDirections = SeenDirections.None;
        return ApplyOutcome.Reopened;
    }

    /// <summary>Counts a packet of a flow.</summary>
    /// <param name="slot">The flow's slot.</param>
    /// <param name="isReply">Whether it travels in the reply direction.</param>
    /// <param name="length">Its length, including the IP header.</param>
    /// <param name="now">When it was captured: ticks of UTC.</param>
    public void CountPacket(int slot, bool isReply, uint length, long now)
    {
        ref FlowCounters counters = ref _store.Counters(slot);
        if (isReply)
        {
            counters.ReplyPackets++;
            counters.ReplyBytes += length;
        }
        else
        {
            counters.Packets++;
            counters.Bytes += length;
        }

        ref FlowRecord record = ref _store[slot];

        // Times can go backwards in merged capture files.
        record.FirstSeen = Math.Min(record.FirstSeen, now);
        record.LastSeen = Math.Max(record.LastSeen, now);
    }

    /// <summary>Closes the connection of a flow; of a folded flow, all of its connections.</summary>
    public void CloseFlow(int slot)
    {
        ref FlowRecord record = ref _store[slot];
        if (record.Folding != FlowFolding.None)
        {
            record.OpenConnections = 0;
        }

        Close(slot, ref record);
    }
}
