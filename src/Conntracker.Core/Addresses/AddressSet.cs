using System.Runtime.InteropServices;

namespace Conntracker.Core.Addresses;

/// <summary>
/// Addresses of one family, single ones and whole subnets alike: sorted intervals that neither overlap nor touch. Immutable. A lookup is a binary
/// search and allocates nothing.
/// </summary>
internal sealed class AddressSet
{
    private readonly Interval[] _intervals;

    private AddressSet(Interval[] intervals) => _intervals = intervals;

    /// <summary>The empty set.</summary>
    public static AddressSet Empty { get; } = new([]);

    /// <summary>Whether the set is empty.</summary>
    public bool IsEmpty => _intervals.Length == 0;

    /// <summary>The number of intervals.</summary>
    public int Count => _intervals.Length;

    /// <summary>Whether the set contains an address.</summary>
    public bool Contains(AddressBits address) => Find(address) is int slot && slot >= 0 && address.CompareTo(_intervals[slot].Last) <= 0;

    /// <summary>Whether the set contains a whole block.</summary>
    public bool Contains(AddressBlock block) => Find(block.First) is int slot && slot >= 0 && block.Last.CompareTo(_intervals[slot].Last) <= 0;

    /// <summary>This set and more blocks: one pass over both, however many are added.</summary>
    public AddressSet With(IEnumerable<AddressBlock> blocks)
    {
        List<Interval> added = [.. blocks.Select(each => new Interval(each.First, each.Last))];
        if (added.Count == 0)
        {
            return this;
        }

        added.Sort((left, right) => left.First.CompareTo(right.First));
        List<Interval> all = new(_intervals.Length + added.Count);
        int old = 0;
        foreach (Interval each in added)
        {
            int end = Math.Max(old, Find(each.First) + 1);
            AppendAll(all, _intervals.AsSpan(old..end));
            Append(all, each);
            old = end;
        }

        AppendAll(all, _intervals.AsSpan(old..));
        return new AddressSet([.. all]);
    }

    // The intervals are sorted and disjoint: after the first one that lies beyond what the result covers, the rest is copied unchanged.
    private static void AppendAll(List<Interval> all, ReadOnlySpan<Interval> next)
    {
        int apart = 0;
        while (apart < next.Length && all.Count > 0 && all[^1].Reaches(next[apart].First))
        {
            Append(all, next[apart++]);
        }

        all.AddRange(next[apart..]);
    }

    // An interval that overlaps the last one, or follows it without a gap, extends it.
    private static void Append(List<Interval> all, Interval next)
    {
        if (all.Count == 0 || !all[^1].Reaches(next.First))
        {
            all.Add(next);
        }
        else if (next.Last.CompareTo(all[^1].Last) > 0)
        {
            CollectionsMarshal.AsSpan(all)[^1] = new Interval(all[^1].First, next.Last);
        }
    }

    // The last interval that does not begin after the address; -1 if there is none.
    private int Find(AddressBits address)
    {
        int low = 0;
        int high = _intervals.Length;
        while (low < high)
        {
            int middle = (low + high) >>> 1;
            if (_intervals[middle].First.CompareTo(address) <= 0)
            {
                low = middle + 1;
            }
            else
            {
                high = middle;
            }
        }

        return low - 1;
    }

    private readonly record struct Interval(AddressBits First, AddressBits Last)
    {
        public bool Reaches(AddressBits next) =>
            next.CompareTo(Last) <= 0 || next.ToUInt128() - Last.ToUInt128() == UInt128.One;
    }
}
