using System.Globalization;

namespace Conntracker.Core.Export.Tree;

/// <summary>
/// Counts distinct entries up to a maximum; beyond it the result is "at least" that number. It stores an eight-byte hash of each entry, so two
/// entries may, very rarely, count as one.
/// </summary>
/// <param name="most">The highest number counted.</param>
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

    /// <summary>The number as text.</summary>
    public override string ToString() => (Count < most ? "" : "at least ") + Count.ToString(CultureInfo.InvariantCulture);
}
