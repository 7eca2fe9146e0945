using Conntracker.Core.Native;

namespace Conntracker.Core.Flows;

/// <summary>
/// Every flow of a capture. One thread writes; readers take a snapshot under the capture's lock. Events take precedence and a
/// dump repairs: what an event has reported since a dump began is never overwritten by that dump, whose answers are older.
/// </summary>
internal sealed partial class FlowTable : IDisposable
{
    private readonly FlowStore _store = new();
    private readonly FlowIndex _index;
    private readonly FlowAggregator _aggregator;
    private readonly int _maximum;

    // Totals of a flow's earlier connections while a later one is open. There are few, so they are not part of every record.
    private readonly Dictionary<int, FlowCounters> _earlier = [];

    private readonly RecentEnds _ends = new();
    private ushort _lastDump;
    private long _dumpStarted = long.MaxValue;
    private long _endsBeforeDump = long.MaxValue;
    private bool _dumpShowsEventless;

    /// <summary>An empty table.</summary>
    /// <param name="maximumFlows">The flow limit.</param>
    public FlowTable(int maximumFlows)
    {
        _maximum = maximumFlows;
        _index = new FlowIndex(_store, maximumFlows);
        _aggregator = new FlowAggregator(_store, _index, _earlier);
    }

    /// <summary>The number of flows.</summary>
    public int Count => _store.Count;

    /// <summary>
    /// The number of open flows that only dumps can follow (<see cref="FlowFlags.Eventless"/>). Never too small; flows that were folded since the
    /// last dump may still be counted.
    /// </summary>
    public int Eventless { get; private set; }

    /// <summary>The number of flows that were folded into others since the start.</summary>
    public long Folded => _aggregator.Folded;

    /// <summary>The flow in a slot that <see cref="Apply"/> returned; valid until the next message.</summary>
    public ref FlowRecord this[int slot] => ref _store[slot];

    /// <summary>One past the highest slot; slots below it may be free (<see cref="FlowRecord.IsUsed"/>).</summary>
    public int SlotCount => _store.HighWater;

    /// <summary>What is known of the flows beyond connection tracking.</summary>
    public FlowDetailStore Details => _store.Details;

    /// <summary>The slot of a flow by its original tuple; -1 if there is none.</summary>
    public int Find(ref readonly FlowKey key) => _index.Find(in key, FlowKey.Hash(in key));

    /// <summary>Applies a message.</summary>
    /// <param name="message">The message.</param>
    /// <param name="now">When it was received: ticks of UTC.</param>
    /// <param name="slot">The flow's slot; -1 if the message is late: its connection has ended, and the flow is folded.</param>
    public ApplyOutcome Apply(ref readonly FlowUpdate message, long now, out int slot)
    {
        uint hash = FlowKey.Hash(in message.Key);
        slot = _index.Find(in message.Key, hash);
        if (IsLate(in message, hash))
        {
            return ApplyOutcome.Known;
        }

        ApplyOutcome outcome = ApplyTo(in message, now, hash, ref slot);
        if (!message.Has(FlowUpdateFields.Id))
        {
            return outcome;
        }

        if (message.Kind == FlowUpdateKind.Destroy)
        {
            _ends.Add(hash, message.Id);
        }
        else if (outcome >= ApplyOutcome.Reopened)
        {
            _ends.Remove(hash, message.Id);
        }

        return outcome;
    }

    // A late message about an ended connection: its end again, or a dump's answer that is older than its end.
    private bool IsLate(ref readonly FlowUpdate message, uint hash) => message.Has(FlowUpdateFields.Id) && message.Kind switch
    {
        FlowUpdateKind.Destroy => _ends.Contains(hash, message.Id, since: 0),
        FlowUpdateKind.Dumped => _ends.Contains(hash, message.Id, _endsBeforeDump),
        _ => false,
    };

    private ApplyOutcome ApplyTo(ref readonly FlowUpdate message, long now, uint hash, ref int slot)
    {
        if (message.Kind != FlowUpdateKind.New && (slot < 0 || HoldsNoneOpen(in _store[slot])))
        {
            int holder = _aggregator.Find(in message.Key);
            slot = holder >= 0 ? holder : slot;
        }

        if (slot < 0 && MakeRoom())
        {
            // A folded flow may have this very key (an ICMP query with id 0).
            slot = _index.Find(in message.Key, hash);
        }

        if (slot < 0)
        {
            slot = Insert(in message, now, hash);
            return ApplyOutcome.Added;
        }

        if (_store[slot].Folding != FlowFolding.None)
        {
            bool isOlder = message.Kind == FlowUpdateKind.Dumped && _store[slot].LastSeen >= _dumpStarted;
            return isOlder ? ApplyOutcome.Known : _aggregator.Update(slot, in message, now);
        }

        ref FlowRecord record = ref _store[slot];
        if (record.IsUnconfirmed)
        {
            // The flow's earlier packets, and the id of a connection that was dropped, count no longer.
            record.Flags &= ~FlowFlags.Unconfirmed;
            record.Id = 0;
            record.LastSeen = now;
            record.LastDump = _lastDump;
            SetEventless(ref record, IsEventless(in message));
            Update(slot, ref record, in message);
            return ApplyOutcome.Added;
        }

        if (message.Kind == FlowUpdateKind.Dumped)
        {
            record.LastDump = _lastDump;
            if (record.LastSeen >= _dumpStarted)
            {
                // The answer may be about an earlier connection of the tuple, whose packets are in the sum already. The id may even be
                // the same: the kernel derives it from the tuple and a memory address.
                bool isOfThisConnection = HasSameId(in record, in message) && !_earlier.ContainsKey(slot);
                return isOfThisConnection && UpdateCounters(slot, ref record, in message) ? ApplyOutcome.Counted : ApplyOutcome.Known;
            }
        }

        bool isNewConnection = IsNewConnection(in record, in message);
        if (isNewConnection)
        {
            StartConnection(slot, ref record);
        }

        if (isNewConnection || message.Kind != FlowUpdateKind.Dumped)
        {
            SetEventless(ref record, IsEventless(in message));
        }

        ApplyOutcome outcome = Update(slot, ref record, in message);
        outcome = isNewConnection ? ApplyOutcome.Reopened : outcome;

        // A dump that shows greater counters does not show when they increased.
        if (outcome >= ApplyOutcome.Changed || message.Kind != FlowUpdateKind.Dumped)
        {
            record.LastSeen = now;
        }

        return outcome;
    }

    /// <summary>Copies the flows. The caller holds the capture's lock, and disposes the copy.</summary>
    public FlowStore Copy()
    {
        FlowStore copy = new();
        _store.CopyTo(copy);
        return copy;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _index.Dispose();
        _store.Dispose();
    }

    // A folded flow may have this very key (an ICMP query with id 0), while the connection of the key was folded into a coarser one.
    private static bool HoldsNoneOpen(ref readonly FlowRecord record) => record.Folding != FlowFolding.None && record.OpenConnections == 0;

    private bool MakeRoom()
    {
        bool isFull = _store.Count >= _maximum;
        if (isFull)
        {
            _aggregator.MakeRoom(Math.Max(1, _maximum / 16));
        }

        return isFull;
    }

    private static bool IsNewConnection(ref readonly FlowRecord record, ref readonly FlowUpdate message)
    {
        // A second DESTROY for a closed connection says nothing. Any other message for a closed flow is a new connection,
        // and so is another id: its predecessor's DESTROY was lost.
        return !HasSameId(in record, in message) || (record.IsClosed && message.Kind != FlowUpdateKind.Destroy);
    }

    private static bool HasSameId(ref readonly FlowRecord record, ref readonly FlowUpdate message) =>
        !message.Has(FlowUpdateFields.Id) || record.Id == 0 || record.Id == message.Id;

    private int Insert(ref readonly FlowUpdate message, long now, uint hash)
    {
        int slot = _store.Take();
        ref FlowRecord record = ref _store[slot];
        record.Key = message.Key;
        record.Connections = 1;
        record.LastDump = _lastDump;
        record.FirstSeen = message.Has(FlowUpdateFields.StartTime)
            ? DateTime.UnixEpoch.Ticks + (long)(message.StartTime / TimeSpan.NanosecondsPerTick)
            : now;
        record.LastSeen = now;
        if (!message.Has(FlowUpdateFields.Reply))
        {
            record.Reply.Src = message.Key.Original.Dst;
            record.Reply.Dst = message.Key.Original.Src;
            record.Reply.SrcPort = message.Key.Original.DstPort;
            record.Reply.DstPort = message.Key.Original.SrcPort;
        }

        SetEventless(ref record, IsEventless(in message));
        Update(slot, ref record, in message);
        _index.Add(slot, hash);
        return slot;
    }

    // Adds a flow that no message of connection tracking has reported. Its key is not in the table.
    private int Add(ref readonly FlowKey key, FlowFlags flags, long now)
    {
        int slot = _store.Take();
        ref FlowRecord record = ref _store[slot];
        record.Key = key;
        record.Reply = FlowKey.Reverse(in key).Original;
        record.Connections = 1;
        record.Flags = flags;
        record.FirstSeen = now;
        record.LastSeen = now;
        _index.Add(slot, FlowKey.Hash(in key));
        return slot;
    }

    private ApplyOutcome Update(int slot, ref FlowRecord record, ref readonly FlowUpdate message)
    {
        bool changed = false;
        if (message.Has(FlowUpdateFields.Id))
        {
            record.Id = message.Id;
        }

        if (message.Has(FlowUpdateFields.Reply))
        {
            record.Reply = message.Reply;
        }

        if (message.Has(FlowUpdateFields.Status))
        {
            changed |= record.Status != message.Status;
            record.Status = message.Status;
            if ((message.Status & ConntrackConstants.IPS_SEEN_REPLY) != 0)
            {
                record.Flags |= FlowFlags.Replied;
            }
        }

        if (message.Has(FlowUpdateFields.ProtocolState))
        {
            changed |= record.ProtocolState != message.ProtocolState;
            record.ProtocolState = message.ProtocolState;
        }

        if (message.Has(FlowUpdateFields.Mark))
        {
            changed |= record.Mark != message.Mark;
            record.Mark = message.Mark;
        }

        bool counted = UpdateCounters(slot, ref record, in message);
        if (message.Kind == FlowUpdateKind.Destroy)
        {
            changed |= !record.IsClosed;
            Close(slot, ref record);
        }

        return changed ? ApplyOutcome.Changed : counted ? ApplyOutcome.Counted : ApplyOutcome.Known;
    }

    private bool UpdateCounters(int slot, ref FlowRecord record, ref readonly FlowUpdate message)
    {
        if (!message.Has(FlowUpdateFields.Counters))
        {
            return false;
        }

        ref FlowCounters counters = ref _store.Counters(slot);
        FlowCounters total = _earlier.TryGetValue(slot, out FlowCounters earlier) ? earlier + message.Counters : message.Counters;

        // The kernel's counters only grow: a smaller value is an older answer.
        bool changed = total.Packets > counters.Packets || total.ReplyPackets > counters.ReplyPackets;
        counters = FlowCounters.Max(in counters, in total);
        record.Flags |= FlowFlags.Counted;
        return changed;
    }

    private void StartConnection(int slot, ref FlowRecord record)
    {
        record.AddConnections(1);
        record.Flags &= ~FlowFlags.Closed;
        record.Status = 0;
        record.ProtocolState = 0;
        if ((record.Flags & FlowFlags.Counted) != 0)
        {
            _earlier[slot] = _store.Counters(slot);
        }
    }

    private void Close(int slot, ref FlowRecord record)
    {
        record.Flags |= FlowFlags.Closed;
        SetEventless(ref record, isEventless: false);
        _earlier.Remove(slot);
    }

    private bool IsEventless(ref readonly FlowUpdate message) => message.Kind == FlowUpdateKind.Dumped && _dumpShowsEventless;

    private void SetEventless(ref FlowRecord record, bool isEventless)
    {
        if (record.IsEventless != isEventless)
        {
            record.Flags ^= FlowFlags.Eventless;
            Eventless += isEventless ? 1 : -1;
        }
    }
}
