namespace Conntracker.Core.Export;

/// <summary>
/// How many entries of a tree may be told how exactly. The last part of the limit is kept for coarser ones, so that what finds no room for
/// itself finds it in a subnet; what is coarsest has a few places that nothing else takes.
/// </summary>
internal static class TreeLimit
{
    private const int PlacesOfTheCoarsest = 64;

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
