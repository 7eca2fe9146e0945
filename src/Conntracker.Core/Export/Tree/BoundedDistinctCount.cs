using System.Globalization;

namespace Conntracker.Core.Export.Tree;

/// <summary>Counts distinct entries up to a number; what comes beyond is "at least so many". Keeps eight bytes of each, so that two may, once in a very long time, be taken for one.</summary>
/// <param name="most">How many are told apart.</param>
internal sealed class BoundedDistinctCount(int most)
{
    private readonly HashSet<ulong> _seen = [];

    /// <summary>How many were counted.</summary>
    public int Count => _seen.Count;

    /// <summary>Counts an entry, unless it was counted before.</summary>
    public void Add(in TreeEntry entry)
    {
        if (_seen.Count < most)
        {
            _seen.Add(((ulong)(uint)entry.GetHashCode() << 32) | (uint)HashCode.Combine(entry.Dst, entry.Src, entry.Section));
        }
    }

    /// <summary>The number in words.</summary>
    public override string ToString() => (Count < most ? "" : "at least ") + Count.ToString(CultureInfo.InvariantCulture);
}
