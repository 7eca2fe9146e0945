namespace Conntracker.Core.Export.Tree;

/// <summary>
/// How many entries a tree may have at each level of detail. The last part of the limit is reserved for coarser entries, so that an entry without
/// room of its own is covered by a subnet; the coarsest level has a few slots that no other level takes.
/// </summary>
internal static class TreeLimit
{
    private const int PlacesOfTheCoarsest = 64;

    // A tree takes at most this part of the free inodes, so that a sender of packets cannot exhaust them.
    private const int ShareOfFreeInodes = 10;

    // With fewer free inodes than this, a tree would harm the file system more than it would help.
    private const int LeastFreeInodes = 1024;

    // A normal host has few unanswered entries: rules of removed services, and scans.
    private const int ShareOfUnanswered = 16;

    /// <summary>How many entries a tree may have, given the free inodes.</summary>
    /// <param name="wanted">The user's limit.</param>
    /// <param name="present">The entries that exist already: they take no further inode.</param>
    /// <param name="freeInodes">The free inodes of the file system; null when it has no limit.</param>
    /// <returns>The number; null when too few inodes are free for any entry.</returns>
    public static int? Of(int wanted, int present, long? freeInodes) =>
        freeInodes is not long free ? wanted
        : free < LeastFreeInodes ? null
        : (int)Math.Min(wanted, present + (free / ShareOfFreeInodes));

    /// <summary>
    /// How many entries may exist for flows that are still unanswered: a part of the room that was left when the tree was opened.
    /// </summary>
    /// <param name="maximum">The tree's limit.</param>
    /// <param name="present">The entries that existed already: no file shows whether their flows were answered.</param>
    public static int OfUnanswered(int maximum, int present) => Math.Max(1, (maximum - present) / ShareOfUnanswered);

    /// <summary>The number of entries in total up to which one of a level may be created.</summary>
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
