namespace Conntracker.Core.Policies.Usage;

/// <summary>A set of numbers (ports, protocols, addresses) as ranges: in order, apart from each other, both ends inclusive.</summary>
internal sealed class NumberRanges
{
    private NumberRanges(IReadOnlyList<(UInt128 First, UInt128 Last)> ranges) => Ranges = ranges;

    /// <summary>The ranges.</summary>
    public IReadOnlyList<(UInt128 First, UInt128 Last)> Ranges { get; }

    /// <summary>One range.</summary>
    public static NumberRanges Of(UInt128 first, UInt128 last) => Of([(first, last)]);

    /// <summary>The numbers of any ranges.</summary>
    public static NumberRanges Of(IEnumerable<(UInt128 First, UInt128 Last)> ranges)
    {
        List<(UInt128 First, UInt128 Last)> joined = [];
        foreach ((UInt128 first, UInt128 last) in ranges.Where(range => range.First <= range.Last).OrderBy(range => range.First))
        {
            if (joined.Count > 0 && (joined[^1].Last == UInt128.MaxValue || first <= joined[^1].Last + 1))
            {
                joined[^1] = (joined[^1].First, UInt128.Max(joined[^1].Last, last));
            }
            else
            {
                joined.Add((first, last));
            }
        }

        return new NumberRanges(joined);
    }

    /// <summary>The numbers of a range that are not in this set.</summary>
    public NumberRanges Without((UInt128 First, UInt128 Last) all)
    {
        List<(UInt128 First, UInt128 Last)> rest = [];
        UInt128 next = all.First;
        foreach ((UInt128 first, UInt128 last) in Ranges)
        {
            if (first > next)
            {
                rest.Add((next, UInt128.Min(first - 1, all.Last)));
            }

            if (last >= all.Last)
            {
                return Of(rest);
            }

            next = UInt128.Max(next, last + 1);
        }

        rest.Add((next, all.Last));
        return Of(rest);
    }

    /// <summary>The numbers that both sets have.</summary>
    public NumberRanges And(NumberRanges other) => Of(
        from one in Ranges
        from two in other.Ranges
        select (UInt128.Max(one.First, two.First), UInt128.Min(one.Last, two.Last)));

    /// <summary>Whether the sets have a number in common.</summary>
    public bool Meets(NumberRanges other)
    {
        foreach ((UInt128 first, UInt128 last) in Ranges)
        {
            foreach ((UInt128 otherFirst, UInt128 otherLast) in other.Ranges)
            {
                if (first <= otherLast && otherFirst <= last)
                {
                    return true;
                }
            }
        }

        return false;
    }

    /// <summary>Whether this set has all numbers of another one.</summary>
    public bool Covers(NumberRanges other) => other.Ranges.All(range => Ranges.Any(each => each.First <= range.First && range.Last <= each.Last));

    /// <inheritdoc/>
    public override string ToString() => string.Join(',', Ranges.Select(range => $"{range.First}-{range.Last}"));
}
