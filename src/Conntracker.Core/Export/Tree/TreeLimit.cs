namespace Conntracker.Core.Export.Tree;

/// <summary>
/// How many entries of a tree may be told how exactly. The last part of the limit is kept for coarser ones, so that what finds no room for
/// itself finds it in a subnet; what is coarsest has a few places that nothing else takes.
/// </summary>
internal static class TreeLimit
{
    private const int PlacesOfTheCoarsest = 64;

    // A tree takes at most this part of the inodes that are free, so that nobody who only sends packets can take them all.
    private const int ShareOfFreeInodes = 10;

    // With fewer free inodes than this, a tree would hurt the file system more than it says.
    private const int LeastFreeInodes = 1024;

    // An honest host has few entries that nobody answered: rules of services that are gone, and scans.
    private const int ShareOfUnanswered = 16;

    /// <summary>How many entries a tree may have where so many inodes are free.</summary>
    /// <param name="wanted">What its user allows.</param>
    /// <param name="present">The entries that are there already: they take no inode more.</param>
    /// <param name="freeInodes">The free inodes of the file system; null when it has no limit.</param>
    /// <returns>The number; null when too few are free to make any.</returns>
    public static int? Of(int wanted, int present, long? freeInodes) =>
        freeInodes is not long free ? wanted
        : free < LeastFreeInodes ? null
        : (int)Math.Min(wanted, present + (free / ShareOfFreeInodes));

    /// <summary>How many entries may be made for flows that nobody answered, as long as it stays so: a part of the room that was left when the tree was opened.</summary>
    /// <param name="maximum">The tree's limit.</param>
    /// <param name="present">The entries that were there already: which of them were answered no file shows.</param>
    public static int OfUnanswered(int maximum, int present) => Math.Max(1, (maximum - present) / ShareOfUnanswered);

    /// <summary>Up to how many entries in all one of a level may be made.</summary>
    /// <param name="maximum">The tree's limit.</param>
    /// <param name="level">The level (<see cref="TreeEntry.Fold"/>).</param>
    public static int Of(int maximum, int level)
    {
        int coarsest = Math.Min(PlacesOfTheCoarsest, (maximum + 2) / 4);
        return level switch
        {
            0 => maximum - coarsest - (maximum / 32),
            1 => maximum - coarsest - (maximum / 64),
            2 => maximum - coarsest,
            _ => maximum,
        };
    }
}
