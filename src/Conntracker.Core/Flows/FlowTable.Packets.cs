namespace Conntracker.Core.Flows;

/// <summary>What the table does for flows that packets tell of, where there is no connection tracking to ask.</summary>
internal sealed partial class FlowTable
{
    /// <summary>A connection begins: of a new flow, or a further one of a flow that is there and closed.</summary>
    /// <param name="key">Its tuple, in the direction of who began it.</param>
    /// <param name="now">When its first packet came: ticks of UTC.</param>
    /// <param name="slot">Where the flow is.</param>
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
    /// <param name="slot">Where the flow is.</param>
    /// <param name="isReply">Whether it travels in the reply direction.</param>
    /// <param name="length">Its length, from the IP header on.</param>
    /// <param name="now">When it came: ticks of UTC.</param>
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

        // Times go back in files that were put together.
        record.FirstSeen = Math.Min(record.FirstSeen, now);
        record.LastSeen = Math.Max(record.LastSeen, now);
    }

    /// <summary>The connection of a flow has ended; of a folded flow, all that it holds.</summary>
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
