namespace Conntracker.Core.Flows;

/// <summary>
/// Makes room when the flow limit is reached. It folds flows into coarser ones, starting with the oldest of those that prove least
/// (<see cref="AggregationRank"/>). What was seen stays counted.
/// </summary>
internal sealed class FlowAggregator
{
    private const ushort FirstClientPort = 1024;

    private readonly FlowStore _store;
    private readonly FlowIndex _index;
    private readonly Dictionary<int, FlowCounters> _earlier;
    private readonly AggregationCandidates _candidates;
    private bool _hasOpenFolded;

    /// <summary>Folds the flows of a table.</summary>
    /// <param name="store">The flows.</param>
    /// <param name="index">Their index.</param>
    /// <param name="earlier">The counters of a flow's earlier connections while a later one is open; the entry of a freed slot is removed.</param>
    public FlowAggregator(FlowStore store, FlowIndex index, Dictionary<int, FlowCounters> earlier)
    {
        _store = store;
        _index = index;
        _earlier = earlier;
        _candidates = new AggregationCandidates(store);
    }

    /// <summary>The number of flows that were folded into others.</summary>
    public long Folded { get; private set; }

    /// <summary>Frees slots until at least this many are free, as far as folding can.</summary>
    public void MakeRoom(int wanted)
    {
        int goal = Math.Max(0, _store.Count - wanted);
        _candidates.Survey();
        foreach (AggregationCandidates.Kind kind in AggregationCandidates.Order)
        {
            if (_store.Count <= goal)
            {
                break;
            }

            if (_candidates.Count(kind) > 0)
            {
                Fold(kind, goal);
                _candidates.Survey();
            }
        }
    }

    /// <summary>The flow into which a connection was folded while it was open; -1 if there is none.</summary>
    public int Find(ref readonly FlowKey key)
    {
        for (FlowFolding level = FlowFolding.ClientPort; _hasOpenFolded && level <= FlowFolding.Protocol; level++)
        {
            FlowKey folded = FoldKey(in key, level);
            int slot = _index.Find(in folded, FlowKey.Hash(in folded));
            if (slot >= 0 && _store[slot].Folding != FlowFolding.None && _store[slot].OpenConnections > 0)
            {
                return slot;
            }
        }

        return -1;
    }

    /// <summary>Applies a message to a folded flow: about a connection that the flow holds, or about a new one with the flow's own key.</summary>
    public ApplyOutcome Update(int slot, ref readonly FlowUpdate message, long now)
    {
        ref FlowRecord service = ref _store[slot];
        bool isEnd = message.Kind == FlowUpdateKind.Destroy;
        bool isAnother = !isEnd || (message.Has(FlowUpdateFields.Id) && message.Id != service.Id);
        bool isNew = message.Kind == FlowUpdateKind.New || (service.OpenConnections == 0 && isAnother);
        if (!isNew && (message.Kind == FlowUpdateKind.Dumped || service.OpenConnections == 0))
        {
            // A dump says nothing about one connection among many, and a second DESTROY says nothing at all.
            return ApplyOutcome.Known;
        }

        if (isNew)
        {
            service.AddConnections(1);
            service.AddOpenConnections(1);
            _hasOpenFolded = true;
        }

        service.LastSeen = now;
        service.Id = message.Has(FlowUpdateFields.Id) ? message.Id : service.Id;
        if (message.Has(FlowUpdateFields.Status))
        {
            service.Status |= message.Status;
            service.Flags |= (message.Status & Native.ConntrackConstants.IPS_SEEN_REPLY) != 0 ? FlowFlags.Replied : FlowFlags.None;
        }

        if (isEnd)
        {
            service.EndOpenConnection();
            if (message.Has(FlowUpdateFields.Counters))
            {
                AddCounters(slot, in message.Counters);
            }
        }

        return isNew ? ApplyOutcome.Reopened : ApplyOutcome.Changed;
    }

    /// <summary>The key of the folded flow that a flow of this key belongs to.</summary>
    public static FlowKey FoldKey(ref readonly FlowKey key, FlowFolding level)
    {
        FlowKey folded = key;
        if (!FlowKey.HasPorts(key.Protocol) || key.Original.SrcPort >= FirstClientPort)
        {
            folded.Original.SrcPort = 0;
        }

        if (level >= FlowFolding.Client)
        {
            folded.Original.Src = default;
            folded.Original.SrcPort = 0;
        }

        if (level >= FlowFolding.Protocol)
        {
            folded.Original = default;
            folded.Zone = 0;
        }

        return folded;
    }

    private void Fold(AggregationCandidates.Kind kind, int goal)
    {
        // The oldest first. If folding them frees nothing, younger ones are tried, up to the youngest. A coarser level comes only when no finer one can
        // free a slot.
        AggregationCandidates.Ages ages = _candidates.AgesOf(kind);
        for (long batch = _store.Count - goal; _store.Count > goal && ages.TryMoveOn(batch); batch *= 4)
        {
            int end = _store.HighWater;
            for (int slot = 0; slot < end && _store.Count > goal; slot++)
            {
                if (ages.Holds(slot))
                {
                    FoldOne(slot, kind.From + 1);
                }
            }
        }
    }

    private void FoldOne(int slot, FlowFolding level)
    {
        FlowCounters counters = Flush(slot, level);
        FlowRecord folded = _store[slot];
        _index.Remove(slot);

        // The slot is freed, but its details move with the flow.
        _store[slot].Details = 0;
        _store.Free(slot);

        FlowKey key = FoldKey(in folded.Key, level);
        uint hash = FlowKey.Hash(in key);
        int target = _index.Find(in key, hash);
        if (target < 0)
        {
            target = _store.Take();
            ref FlowRecord made = ref _store[target];
            made = folded;
            made.Key = key;
            made.Folding = level;
            made.Flags &= ~FlowFlags.Counted;
            made.Reply = FoldReply(in folded, level);
            _index.Add(target, hash);
        }
        else
        {
            if (_store[target].Folding == FlowFolding.None)
            {
                // A real flow has this very key (an ICMP query with id 0).
                FlowCounters own = Flush(target, level);
                if ((_store[target].Flags & FlowFlags.Counted) != 0)
                {
                    _store.Counters(target) = own;
                }
            }

            Merge(ref _store[target], in folded, level);
            _store.Details.Merge(ref _store[target], folded.Details);
            _store.Details.Free(folded.Details);
            Folded++;
        }

        if ((folded.Flags & FlowFlags.Counted) != 0 && !counters.IsZero)
        {
            AddCounters(target, in counters);
        }
    }

    // The final counters. A connection that is still open reports its counters when it ends (Update): adding them here as well would
    // count them twice. Packets are counted one by one.
    private FlowCounters Flush(int slot, FlowFolding level)
    {
        ref FlowRecord record = ref _store[slot];
        record.Flags &= ~FlowFlags.Eventless;
        if (record.IsUnconfirmed)
        {
            // No message will report its end.
            record.Flags = (record.Flags & ~FlowFlags.Unconfirmed) | FlowFlags.Closed;
        }

        _earlier.Remove(slot, out FlowCounters earlier);
        if (record.Folding == FlowFolding.None)
        {
            record.BeginFolding(level);
            _hasOpenFolded |= !record.IsClosed;
            if (!record.IsClosed && !record.IsOfPackets)
            {
                return earlier;
            }
        }

        return (record.Flags & FlowFlags.Counted) != 0 ? _store.Counters(slot) : default;
    }

    private static void Merge(ref FlowRecord service, ref readonly FlowRecord folded, FlowFolding level)
    {
        service.AddConnections(folded.Connections);
        service.FirstSeen = Math.Min(service.FirstSeen, folded.FirstSeen);
        service.Status |= folded.Status;
        service.Folding = (FlowFolding)Math.Max((byte)service.Folding, (byte)level);
        service.Flags |= folded.Flags & FlowFlags.Replied;
        if (folded.LastSeen >= service.LastSeen)
        {
            service.LastSeen = folded.LastSeen;
            service.Mark = folded.Mark;
            service.Id = folded.Id;
            service.ProtocolState = folded.ProtocolState;
        }

        service.AddOpenConnections(folded.OpenConnections);
    }

    private static FlowEndpoints FoldReply(ref readonly FlowRecord folded, FlowFolding level)
    {
        FlowEndpoints reply = folded.Reply;
        reply.DstPort = FlowKey.HasPorts(folded.Key.Protocol) ? (ushort)0 : reply.DstPort;
        if (level >= FlowFolding.Client)
        {
            reply.Dst = default;
        }

        return level >= FlowFolding.Protocol ? default : reply;
    }

    private void AddCounters(int slot, ref readonly FlowCounters counters)
    {
        ref FlowCounters sum = ref _store.Counters(slot);
        sum += counters;
        _store[slot].Flags |= FlowFlags.Counted;
    }
}
