using Conntracker.Core.Addresses;
using Conntracker.Core.Flows;
using Conntracker.Core.Native;
using static Conntracker.Core.Flows.FlowUpdateFields;

namespace Conntracker.Tests.Unit;

/// <summary>A connection that the kernel of a history holds.</summary>
internal sealed class KernelConnection
{
    public FlowKey Key;
    public FlowEndpoints Reply;
    public FlowCounters Counters;
    public uint Id;
    public uint Status;
    public uint Mark;
    public byte State;
}

/// <summary>
/// What the kernel does in a history: connections of few tuples begin, change, count and end, and their messages are made. It knows the truth that the
/// flow table has to find out.
/// </summary>
/// <param name="random">Decides over everything.</param>
/// <param name="tuples">How many tuples there are.</param>
internal sealed class KernelModel(Random random, int tuples)
{
    private const FlowUpdateFields Always = Original | Id | Zone;

    // So many of the last ends may be sent again.
    private const int LastEnds = 200;

    private static readonly FlowProtocol[] s_protocols = [FlowProtocol.Tcp, FlowProtocol.Udp, FlowProtocol.Sctp, FlowProtocol.Icmp, FlowProtocol.Gre];

    private readonly List<KernelConnection> _open = [];
    private readonly Dictionary<FlowKey, KernelConnection> _byKey = new(FlowKeyComparer.Instance);
    private readonly List<FlowUpdate> _ends = [];

    /// <summary>The connections that are open.</summary>
    public IReadOnlyList<KernelConnection> Open => _open;

    /// <summary>How many connections there have been.</summary>
    public long Connections { get; private set; }

    /// <summary>What those that have ended had counted.</summary>
    public FlowCounters Ended { get; private set; }

    /// <summary>A tuple, in one of two zones.</summary>
    public FlowKey AnyKey()
    {
        int tuple = random.Next(tuples);
        FlowKey key = default;
        key.Protocol = s_protocols[tuple % s_protocols.Length];
        key.Family = tuple % 3 == 0 ? FlowFamily.IPv6 : FlowFamily.IPv4;
        key.Zone = (ushort)(tuple % 7 == 0 ? 1 : 0);
        key.Original.Src = new AddressBits(0, 0x0a000000 + (uint)(tuple % 61));
        key.Original.Dst = new AddressBits(0, 0xc6336400 + (uint)(tuple % 5));

        // Also client ports below 1024, and the query's id 0: these tuples are folded into themselves at first.
        key.Original.SrcPort = (ushort)(tuple % 11 == 0 ? tuple % 3 : 1024 + (tuple / 61));
        key.Original.DstPort = FlowKey.IsIcmp(key.Protocol) ? (ushort)0x0800 : (ushort)(443 + (tuple % 3));
        return key;
    }

    /// <summary>A connection begins; null when the tuple has one.</summary>
    public FlowUpdate? Begin()
    {
        FlowKey key = AnyKey();
        if (_byKey.ContainsKey(key))
        {
            return null;
        }

        // The id is made from the tuple and a memory address that is used again: sometimes it is the same.
        KernelConnection made = new()
        {
            Key = key,
            Reply = FlowKey.Reverse(in key).Original,
            Id = random.Next(4) == 0 ? (uint)key.Original.Src.Low : (uint)random.Next(1, int.MaxValue),
            Status = ConntrackConstants.IPS_CONFIRMED,
            Mark = (uint)random.Next(3),
            State = key.Protocol is FlowProtocol.Tcp or FlowProtocol.Sctp ? (byte)1 : (byte)0,
        };
        if (random.Next(5) == 0)
        {
            made.Reply.Src = new AddressBits(0, 0xc0a80000 + (uint)random.Next(9));
            made.Status |= ConntrackConstants.IPS_DST_NAT;
        }

        _open.Add(made);
        _byKey.Add(key, made);
        Connections++;
        return MessageOf(made, FlowUpdateKind.New, Always | Reply | Status | Mark | StateOf(made));
    }

    /// <summary>A connection changes; null when there is none.</summary>
    public FlowUpdate? Change()
    {
        if (Any() is not KernelConnection changed)
        {
            return null;
        }

        Count(changed);
        changed.Status |= random.Next(3) == 0 ? (uint)ConntrackConstants.IPS_ASSURED | ConntrackConstants.IPS_SEEN_REPLY : ConntrackConstants.IPS_SEEN_REPLY;
        changed.Mark = random.Next(8) == 0 ? (uint)random.Next(3) : changed.Mark;
        changed.State = changed.State == 0 ? changed.State : (byte)random.Next(1, 8);
        return MessageOf(changed, FlowUpdateKind.Update, Always | Reply | Status | (random.Next(2) == 0 ? Mark : None) | StateOf(changed));
    }

    /// <summary>A connection counts packets, and says nothing.</summary>
    public void Count()
    {
        if (Any() is KernelConnection counted)
        {
            Count(counted);
        }
    }

    /// <summary>A connection ends; null when there is none.</summary>
    public FlowUpdate? End()
    {
        if (_open.Count == 0)
        {
            return null;
        }

        int at = random.Next(_open.Count);
        KernelConnection ended = _open[at];
        _open[at] = _open[^1];
        _open.RemoveAt(_open.Count - 1);
        _byKey.Remove(ended.Key);
        Count(ended);
        Ended += ended.Counters;
        FlowUpdate end = MessageOf(ended, FlowUpdateKind.Destroy, Always | Reply | Status | Counters);
        _ends.Add(end);
        if (_ends.Count > LastEnds)
        {
            _ends.RemoveAt(0);
        }

        return end;
    }

    /// <summary>
    /// One of the last ends is sent again, as for a listener that had no room for it. Null when there is none, and when its id is used again by now: the
    /// kernel keeps the connection's memory until its end is delivered.
    /// </summary>
    public FlowUpdate? EndAgain()
    {
        if (_ends.Count == 0)
        {
            return null;
        }

        FlowUpdate end = _ends[random.Next(_ends.Count)];
        return _byKey.TryGetValue(end.Key, out KernelConnection? next) && next.Id == end.Id ? null : end;
    }

    /// <summary>The table as it is now, in no order: what a dump answers.</summary>
    public FlowUpdate[] Dump()
    {
        const FlowUpdateFields Whole = Always | Reply | Status | Mark | Counters;
        FlowUpdate[] entries = [.. _open.Select(each => MessageOf(each, FlowUpdateKind.Dumped, Whole | StateOf(each)))];
        random.Shuffle(entries);
        return entries;
    }

    private KernelConnection? Any() => _open.Count == 0 ? null : _open[random.Next(_open.Count)];

    private void Count(KernelConnection connection)
    {
        ulong packets = (ulong)random.Next(1, 9);
        connection.Counters += new FlowCounters { Packets = packets, Bytes = packets * 100, ReplyPackets = packets / 2, ReplyBytes = packets / 2 * 60 };
    }

    private static FlowUpdateFields StateOf(KernelConnection connection) => connection.State == 0 ? None : ProtocolState;

    private static FlowUpdate MessageOf(KernelConnection connection, FlowUpdateKind kind, FlowUpdateFields fields) => new()
    {
        Kind = kind,
        Fields = fields,
        Key = connection.Key,
        Reply = connection.Reply,
        Id = connection.Id,
        Status = connection.Status,
        Mark = connection.Mark,
        ProtocolState = connection.State,
        Counters = connection.Counters,
    };
}
