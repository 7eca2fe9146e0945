using System.Numerics;
using Conntracker.Core.Decoding;

namespace Conntracker.Core.Flows;

/// <summary>
/// Makes room when the flow limit is reached: the oldest flows are folded into coarser ones, closed flows first, then open ones,
/// then services of the same client, then all of a protocol. What was seen stays counted.
/// </summary>
internal sealed class FlowFolder
{
    private const int AgeClasses = 1024;
    private const ushort FirstClientPort = 1024;

    private readonly FlowStore _store;
    private readonly FlowIndex _index;
    private readonly Action<int> _forget;
    private readonly int[] _ages = new int[AgeClasses];
    private long _openFolded;

    /// <summary>Makes a folder for a table.</summary>
    /// <param name="store">The flows.</param>
    /// <param name="index">Their index.</param>
    /// <param name="forget">Called for each place that is given back.</param>
    public FlowFolder(FlowStore store, FlowIndex index, Action<int> forget)
    {
        _store = store;
        _index = index;
        _forget = forget;
    }

    /// <summary>How many flows were folded into others.</summary>
    public long Folded { get; private set; }

    /// <summary>Frees places until at least so many are free, as far as folding can.</summary>
    public void MakeRoom(int wanted)
    {
        wanted -= Fold(FlowFolding.None, FlowFolding.ClientPort, closedOnly: true, wanted);
        wanted -= Fold(FlowFolding.None, FlowFolding.ClientPort, closedOnly: false, wanted);
        wanted -= Fold(FlowFolding.ClientPort, FlowFolding.Client, closedOnly: false, wanted);
        Fold(FlowFolding.Client, FlowFolding.Protocol, closedOnly: false, wanted);
    }

    /// <summary>
    /// Takes in a message of a connection that was folded while it was open: it belongs to the flow that holds it, and is no new
    /// connection.
    /// </summary>
    public bool TryUpdateFolded(ref readonly ConntrackMessage message, long now, out int place)
    {
        place = -1;
        for (FlowFolding level = FlowFolding.ClientPort; _openFolded > 0 && place < 0 && level <= FlowFolding.Protocol; level++)
        {
            FlowKey key = FoldKey(in message.Key, level);
            place = _index.Find(in key, FlowKey.Hash(in key));
            if (place >= 0 && _store[place].Folding == FlowFolding.None)
            {
                place = -1;
            }
        }

        if (place < 0)
        {
            return false;
        }

        ref FlowRecord service = ref _store[place];
        service.LastSeen = now;
        if (message.Has(ConntrackFields.Status))
        {
            service.Status |= message.Status;
            service.Flags |= (message.Status & Native.ConntrackConstants.IPS_SEEN_REPLY) != 0 ? FlowFlags.Replied : FlowFlags.None;
        }

        if (message.Kind == ConntrackMessageKind.Destroy)
        {
            _openFolded--;
            if (message.Has(ConntrackFields.Counters))
            {
                AddCounters(place, in message.Counters);
            }
        }

        return true;
    }

    /// <summary>The key of the flow that this one is folded into.</summary>
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

    private int Fold(FlowFolding from, FlowFolding to, bool closedOnly, int wanted)
    {
        if (wanted <= 0)
        {
            return 0;
        }

        long limit = FindAge(from, closedOnly, wanted, out long oldest, out int shift);
        int before = _store.Count;
        int end = _store.HighWater;
        for (int place = 0; place < end && before - _store.Count < wanted; place++)
        {
            ref FlowRecord record = ref _store[place];
            if (IsCandidate(in record, from, closedOnly) && (record.LastSeen - oldest) >> shift <= limit)
            {
                FoldOne(place, to);
            }
        }

        return before - _store.Count;
    }

    // Which flows are the oldest, without sorting them: a histogram of their ages, in classes of a power of two of ticks.
    private long FindAge(FlowFolding from, bool closedOnly, int wanted, out long oldest, out int shift)
    {
        oldest = long.MaxValue;
        long newest = long.MinValue;
        for (int place = 0; place < _store.HighWater; place++)
        {
            ref FlowRecord record = ref _store[place];
            if (IsCandidate(in record, from, closedOnly))
            {
                oldest = Math.Min(oldest, record.LastSeen);
                newest = Math.Max(newest, record.LastSeen);
            }
        }

        shift = 0;
        if (oldest > newest)
        {
            return -1;
        }

        shift = Math.Max(0, BitOperations.Log2((ulong)(newest - oldest) | 1) - BitOperations.Log2(AgeClasses) + 1);
        Array.Clear(_ages);
        for (int place = 0; place < _store.HighWater; place++)
        {
            ref FlowRecord record = ref _store[place];
            if (IsCandidate(in record, from, closedOnly))
            {
                _ages[(record.LastSeen - oldest) >> shift]++;
            }
        }

        int age = 0;
        for (int seen = _ages[0]; seen < wanted && age < AgeClasses - 1; seen += _ages[age])
        {
            age++;
        }

        return age;
    }

    private static bool IsCandidate(ref readonly FlowRecord record, FlowFolding from, bool closedOnly) =>
        record.IsUsed && record.Folding == from && (record.IsClosed || !closedOnly);

    private void FoldOne(int place, FlowFolding level)
    {
        FlowRecord folded = _store[place];
        bool isCounted = (folded.Flags & FlowFlags.Counted) != 0;
        FlowCounters counters = isCounted ? _store.Counters(place) : default;
        _index.Remove(place);
        _store.Free(place);
        _forget(place);

        bool isOpen = !folded.IsClosed && folded.Folding == FlowFolding.None;
        if (isOpen)
        {
            // Its counters come with its end (TryUpdateFolded); to add them here as well would count them twice.
            _openFolded++;
            counters = default;
        }

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
            Merge(ref _store[target], in folded, level);
            Folded++;
        }

        if (isCounted && !counters.IsZero)
        {
            AddCounters(target, in counters);
        }
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

        if (!folded.IsClosed)
        {
            service.Flags &= ~FlowFlags.Closed;
        }
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

    private void AddCounters(int place, ref readonly FlowCounters counters)
    {
        ref FlowCounters sum = ref _store.Counters(place);
        sum += counters;
        _store[place].Flags |= FlowFlags.Counted;
    }
}
