using Conntracker.Core.Flows;
using Conntracker.Core.Native;

namespace Conntracker.Tests.Unit;

/// <summary>What the table is to know of a flow.</summary>
internal sealed class ModelFlow
{
    public uint Connections = 1;
    public uint Id;
    public uint Status;
    public uint Mark;
    public byte State;
    public bool IsClosed;
    public bool IsReplied;
    public bool IsUnconfirmed;
    public bool IsEventless;
    public bool WasShown;
    public bool IsCounted;
    public FlowEndpoints Reply;

    /// <summary>All that was counted.</summary>
    public FlowCounters Counters;

    /// <summary>What the connections before the open one had counted; null when there was none, or nothing.</summary>
    public FlowCounters? Earlier;

    public long FirstSeen;
    public long LastSeen;

    /// <summary>The ids of connections that have ended, with the number of their end.</summary>
    public Dictionary<uint, long> Ends { get; } = [];

    /// <summary>How the table's record differs from this; null when it does not.</summary>
    /// <param name="record">The record.</param>
    /// <param name="counters">What the table has counted for it; null when that is not compared.</param>
    public string? Difference(ref readonly FlowRecord record, FlowCounters? counters)
    {
        (string Name, object Expected, object Found)[] all =
        [
            ("connections", Connections, record.Connections),
            ("id", Id, record.Id),
            ("status", Status, record.Status),
            ("mark", Mark, record.Mark),
            ("protocol's state", State, record.ProtocolState),
            ("closed", IsClosed, record.IsClosed),
            ("replied", IsReplied, record.IsReplied),
            ("unconfirmed", IsUnconfirmed, record.IsUnconfirmed),
            ("eventless", IsEventless, record.IsEventless),
            ("reply's source", Reply.Src, record.Reply.Src),
            ("first seen", FirstSeen, record.FirstSeen),
            ("last seen", LastSeen, record.LastSeen),
            ("counted", IsCounted, (record.Flags & FlowFlags.Counted) != 0),
            ("packets", Counters.Packets, counters?.Packets ?? Counters.Packets),
            ("bytes", Counters.Bytes, counters?.Bytes ?? Counters.Bytes),
            ("reply's packets", Counters.ReplyPackets, counters?.ReplyPackets ?? Counters.ReplyPackets),
            ("folded", FlowFolding.None, record.Folding),
        ];
        return all
            .Where(each => !each.Expected.Equals(each.Found))
            .Select(each => $"{each.Name} should be {each.Expected} and is {each.Found}")
            .FirstOrDefault();
    }
}

/// <summary>
/// The rules of the flow table as docs/architecture.md has them, on a dictionary, without a limit: slow, and simple enough to be read. Events are the
/// truth; a dump repairs what they have not said, and is older than what they say since it began.
/// </summary>
internal sealed class FlowTableModel
{
    private readonly Dictionary<FlowKey, ModelFlow> _flows = new(FlowKeyComparer.Instance);
    private long? _dumpBegan;
    private long _ends;
    private long _endsBeforeDump;
    private bool _dumpShowsEventless;

    public IReadOnlyDictionary<FlowKey, ModelFlow> Flows => _flows;

    public void Apply(in FlowUpdate message, long now)
    {
        if (IsLate(in message))
        {
            return;
        }

        Take(in message, now);
        Dictionary<uint, long> ends = _flows[message.Key].Ends;
        if (message.Kind == FlowUpdateKind.Destroy)
        {
            ends[message.Id] = _ends++;
        }
        else if (!_flows[message.Key].IsClosed && _flows[message.Key].Id == message.Id)
        {
            // It is used again.
            ends.Remove(message.Id);
        }
    }

    // Of a connection that has ended nothing is news, as long as its end is remembered.
    private bool IsLate(in FlowUpdate message) =>
        _flows.TryGetValue(message.Key, out ModelFlow? flow)
        && flow.Ends.TryGetValue(message.Id, out long number)
        && number >= _ends - RecentEnds.Capacity
        && (message.Kind == FlowUpdateKind.Destroy || (message.Kind == FlowUpdateKind.Dumped && number >= _endsBeforeDump));

    private void Take(in FlowUpdate message, long now)
    {
        bool isDumped = message.Kind == FlowUpdateKind.Dumped;
        bool isEventless = isDumped && _dumpShowsEventless;
        if (!_flows.TryGetValue(message.Key, out ModelFlow? flow) || flow.IsUnconfirmed)
        {
            flow ??= _flows[message.Key] = new ModelFlow { FirstSeen = now };
            flow.IsUnconfirmed = false;
            flow.Id = 0;
            flow.LastSeen = now;
            flow.IsEventless = isEventless;
            flow.WasShown = true;
            Take(flow, in message);
            return;
        }

        flow.WasShown |= isDumped;
        bool isSameId = flow.Id == 0 || flow.Id == message.Id;
        if (isDumped && _dumpBegan is long began && flow.LastSeen >= began)
        {
            // Events have spoken since; only what the same connection has counted is news, if it is surely the same.
            if (isSameId && flow.Earlier is null)
            {
                Count(flow, message.Counters);
            }

            return;
        }

        bool isNext = !isSameId || (flow.IsClosed && message.Kind != FlowUpdateKind.Destroy);
        if (isNext)
        {
            flow.Connections++;
            flow.IsClosed = false;
            flow.Status = 0;
            flow.State = 0;
            flow.Earlier = flow.IsCounted ? flow.Counters : flow.Earlier;
        }

        if (isNext || !isDumped)
        {
            flow.IsEventless = isEventless;
        }

        if (Take(flow, in message) || isNext || !isDumped)
        {
            flow.LastSeen = now;
        }
    }

    /// <summary>Only a trace tells of a flow.</summary>
    public void AddUnconfirmed(FlowKey key, long now) =>
        _flows.Add(key, new ModelFlow { IsUnconfirmed = true, Reply = FlowKey.Reverse(in key).Original, FirstSeen = now, LastSeen = now });

    public void BeginDump(long now, bool showsEventless)
    {
        _dumpBegan = now;
        _endsBeforeDump = _ends;
        _dumpShowsEventless = showsEventless;
        foreach (ModelFlow each in _flows.Values)
        {
            each.WasShown = false;
        }
    }

    public int EndDump(long now)
    {
        int closed = 0;
        foreach (ModelFlow each in _flows.Values)
        {
            if (!each.IsClosed && !each.IsUnconfirmed && !each.WasShown && each.LastSeen < _dumpBegan)
            {
                Close(each);
                each.LastSeen = now;
                closed++;
            }
        }

        _dumpBegan = null;
        return closed;
    }

    public void AbandonDump() => _dumpBegan = null;

    // True when it changes what a user sees, but for the counters.
    private static bool Take(ModelFlow flow, in FlowUpdate message)
    {
        bool isChanged = false;
        flow.Id = message.Id;
        flow.Reply = message.Reply;
        isChanged |= flow.Status != message.Status;
        flow.Status = message.Status;
        flow.IsReplied |= (message.Status & ConntrackConstants.IPS_SEEN_REPLY) != 0;
        if (message.Has(FlowUpdateFields.ProtocolState))
        {
            isChanged |= flow.State != message.ProtocolState;
            flow.State = message.ProtocolState;
        }

        if (message.Has(FlowUpdateFields.Mark))
        {
            isChanged |= flow.Mark != message.Mark;
            flow.Mark = message.Mark;
        }

        if (message.Has(FlowUpdateFields.Counters))
        {
            Count(flow, message.Counters);
        }

        if (message.Kind == FlowUpdateKind.Destroy)
        {
            isChanged |= !flow.IsClosed;
            Close(flow);
        }

        return isChanged;
    }

    private static void Count(ModelFlow flow, FlowCounters counters)
    {
        flow.Counters = FlowCounters.Max(flow.Counters, flow.Earlier is FlowCounters earlier ? earlier + counters : counters);
        flow.IsCounted = true;
    }

    private static void Close(ModelFlow flow)
    {
        flow.IsClosed = true;
        flow.IsEventless = false;
        flow.Earlier = null;
    }
}
