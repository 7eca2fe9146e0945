using System.Numerics;
using Conntracker.Core.Native;

namespace Conntracker.Core.Flows;

/// <summary>
/// The flows to fold next: how many there are of each rank and folding, and which of them are the oldest. A walk through the table and a histogram
/// of ages find them, because sorting a million flows takes too long on the capture's thread.
/// </summary>
internal sealed class AggregationCandidates
{
    private const int AgeClasses = 1024;
    private const int Foldings = (int)FlowFolding.Protocol + 1;

    private static readonly Kind[] s_order = MakeOrder();

    private readonly FlowStore _store;
    private readonly Span[] _spans = new Span[((int)AggregationRank.AssuredOpen + 1) * Foldings];
    private readonly int[] _ages = new int[AgeClasses];

    public AggregationCandidates(FlowStore store) => _store = store;

    /// <summary>
    /// The order in which flows are folded. Unanswered flows are folded all the way to their protocol before an answered flow loses
    /// as much as its client port. All answered flows lose the client port before one loses the client.
    /// </summary>
    public static ReadOnlySpan<Kind> Order => s_order;

    /// <summary>Counts all flows by rank and folding, after folding has changed them.</summary>
    public void Survey()
    {
        Array.Fill(_spans, new Span(0, long.MaxValue, long.MinValue));
        for (int slot = 0; slot < _store.HighWater; slot++)
        {
            ref FlowRecord record = ref _store[slot];
            if (record.IsUsed)
            {
                ref Span span = ref _spans[Number(RankOf(in record), record.Folding)];
                span = new(span.Count + 1, Math.Min(span.Oldest, record.LastSeen), Math.Max(span.Newest, record.LastSeen));
            }
        }
    }

    /// <summary>The number of flows of a kind in the last survey.</summary>
    public int Count(Kind kind) => _spans[Number(kind.Rank, kind.From)].Count;

    /// <summary>Sorts the flows of a kind into age classes, since the last survey.</summary>
    public Ages AgesOf(Kind kind)
    {
        Span span = _spans[Number(kind.Rank, kind.From)];
        int shift = Math.Max(0, BitOperations.Log2((ulong)(span.Newest - span.Oldest) | 1) - BitOperations.Log2(AgeClasses) + 1);
        Ages ages = new(this, kind, span.Oldest, shift);
        Array.Clear(_ages);
        for (int slot = 0; slot < _store.HighWater; slot++)
        {
            if (IsOf(kind, slot))
            {
                _ages[ages.Class(slot)]++;
            }
        }

        return ages;
    }

    private static Kind[] MakeOrder()
    {
        List<Kind> order = [];
        for (AggregationRank rank = AggregationRank.UnansweredClosed; rank <= AggregationRank.UnansweredOpen; rank++)
        {
            for (FlowFolding from = FlowFolding.None; from < FlowFolding.Protocol; from++)
            {
                order.Add(new(rank, from));
            }
        }

        for (FlowFolding from = FlowFolding.None; from < FlowFolding.Protocol; from++)
        {
            for (AggregationRank rank = AggregationRank.AnsweredClosed; rank <= AggregationRank.AssuredOpen; rank++)
            {
                order.Add(new(rank, from));
            }
        }

        return [.. order];
    }

    private static AggregationRank RankOf(ref readonly FlowRecord record)
    {
        int proof = (record.Status & ConntrackConstants.IPS_ASSURED) != 0 ? 2 : record.IsReplied ? 1 : 0;
        return (AggregationRank)((proof * 2) + (record.IsClosed || record.IsUnconfirmed ? 0 : 1));
    }

    private static int Number(AggregationRank rank, FlowFolding folding) => ((int)rank * Foldings) + (int)folding;

    private bool IsOf(Kind kind, int slot)
    {
        ref FlowRecord record = ref _store[slot];
        return record.IsUsed && record.Folding == kind.From && RankOf(in record) == kind.Rank;
    }

    /// <summary>Flows that are folded together.</summary>
    /// <param name="Rank">What the flows prove.</param>
    /// <param name="From">Their current folding; they are folded one level further.</param>
    internal readonly record struct Kind(AggregationRank Rank, FlowFolding From);

    private record struct Span(int Count, long Oldest, long Newest);

    /// <summary>The flows of a kind by age. The oldest come first, in batches.</summary>
    internal ref struct Ages
    {
        private readonly AggregationCandidates _candidates;
        private readonly Kind _kind;
        private readonly long _oldest;
        private readonly int _shift;
        private int _limit;

        public Ages(AggregationCandidates candidates, Kind kind, long oldest, int shift)
        {
            _candidates = candidates;
            _kind = kind;
            _oldest = oldest;
            _shift = shift;
            _limit = -1;
        }

        /// <summary>Moves on to the next batch of flows, as exactly as age classes can separate them.</summary>
        /// <returns>False if there are none left.</returns>
        public bool TryMoveOn(long batch)
        {
            int before = _limit;
            for (long seen = 0; seen < batch && _limit < AgeClasses - 1;)
            {
                seen += _candidates._ages[++_limit];
            }

            return _limit > before;
        }

        /// <summary>Whether the flow in a slot belongs to the batches so far and is not folded yet.</summary>
        public readonly bool Holds(int slot) => _candidates.IsOf(_kind, slot) && Class(slot) <= _limit;

        /// <summary>The age class of the flow in a slot. Times of a damaged recording may lie further apart than a long can hold.</summary>
        public readonly int Class(int slot)
        {
            long lastSeen = _candidates._store[slot].LastSeen;
            return lastSeen <= _oldest ? 0 : (int)Math.Min((ulong)(lastSeen - _oldest) >> _shift, AgeClasses - 1);
        }
    }
}
