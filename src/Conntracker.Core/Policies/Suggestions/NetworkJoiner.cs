using Conntracker.Core.Addresses;

namespace Conntracker.Core.Policies.Suggestions;

/// <summary>
/// Joins addresses into prefixes, small ones first, as long as the addresses that come with them fit into what may be widened. A prefix takes the place
/// of four addresses at least: three are shorter written than explained.
/// </summary>
internal static class NetworkJoiner
{
    private const int LeastMembers = 4;

    /// <summary>Joins blocks of one family.</summary>
    /// <param name="blocks">The blocks; none lies within another.</param>
    /// <param name="most">How many addresses may be added.</param>
    /// <param name="added">How many were added.</param>
    public static IReadOnlyList<AddressBlock> Join(IReadOnlyCollection<AddressBlock> blocks, double most, out double added)
    {
        AddressBlock[] sorted = [.. blocks.OrderBy(each => each.First)];
        added = 0;
        if (sorted.Length < LeastMembers)
        {
            return sorted;
        }

        double[] sizes = new double[sorted.Length + 1];
        for (int i = 0; i < sorted.Length; i++)
        {
            sizes[i + 1] = sizes[i] + sorted[i].Size;
        }

        // What smaller prefixes have added, by the first block of each: a wider one that contains them adds the rest only.
        double[] spent = new double[sorted.Length];
        int[] wholeUpTo = new int[sorted.Length];
        foreach (AddressBlock prefix in Candidates(sorted))
        {
            int first = LowerBound(sorted, prefix.First);
            int end = UpperBound(sorted, prefix.Last);
            double missing = prefix.Size - (sizes[end] - sizes[first]);
            if (end - first < LeastMembers || missing > most)
            {
                continue;
            }

            double alreadyAdded = SumOf(spent, wholeUpTo, first, end);
            double more = missing - alreadyAdded;
            if (added + more <= most)
            {
                added += more;
                spent[first] = missing;
                wholeUpTo[first] = end;
            }
        }

        return Collect(sorted, wholeUpTo);
    }

    // The prefixes at which neighbours part; every other prefix has the same members as one of these and more room.
    private static IEnumerable<AddressBlock> Candidates(AddressBlock[] sorted)
    {
        FlowFamily family = sorted[0].Family;
        HashSet<AddressBlock> found = [];
        for (int i = 1; i < sorted.Length; i++)
        {
            UInt128 differing = sorted[i - 1].First.ToUInt128() ^ sorted[i].Last.ToUInt128();
            int prefix = AddressBlock.BitsOf(family) - (128 - (int)UInt128.LeadingZeroCount(differing));
            found.Add(new AddressBlock(family, sorted[i].First, prefix));
        }

        return found.OrderByDescending(each => each.Prefix).ThenBy(each => each.First);
    }

    private static double SumOf(double[] spent, int[] wholeUpTo, int first, int end)
    {
        double sum = 0;
        for (int i = first; i < end; i = Math.Max(i + 1, wholeUpTo[i]))
        {
            sum += spent[i];
        }

        return sum;
    }

    private static List<AddressBlock> Collect(AddressBlock[] sorted, int[] wholeUpTo)
    {
        List<AddressBlock> joined = [];
        for (int i = 0; i < sorted.Length;)
        {
            int end = wholeUpTo[i];
            joined.Add(end == 0 ? sorted[i] : Common(sorted[i], sorted[end - 1]));
            i = Math.Max(i + 1, end);
        }

        return joined;
    }

    private static AddressBlock Common(AddressBlock first, AddressBlock last)
    {
        int bits = 128 - (int)UInt128.LeadingZeroCount(first.First.ToUInt128() ^ last.Last.ToUInt128());
        return new AddressBlock(first.Family, first.First, AddressBlock.BitsOf(first.Family) - bits);
    }

    private static int LowerBound(AddressBlock[] sorted, AddressBits address) => Search(sorted, each => each.First.CompareTo(address) >= 0);

    private static int UpperBound(AddressBlock[] sorted, AddressBits address) => Search(sorted, each => each.First.CompareTo(address) > 0);

    // The first block for which the condition holds; it holds for all that follow.
    private static int Search(AddressBlock[] sorted, Func<AddressBlock, bool> holds)
    {
        int low = 0;
        int high = sorted.Length;
        while (low < high)
        {
            int middle = (low + high) / 2;
            (low, high) = holds(sorted[middle]) ? (low, middle) : (middle + 1, high);
        }

        return low;
    }
}
