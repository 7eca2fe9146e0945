namespace Conntracker;

/// <summary>How flows become a tree.</summary>
public sealed class FlowTreeOptions
{
    /// <summary>The default of <see cref="MaximumEntries"/>.</summary>
    public const int DefaultMaximumEntries = 1_000_000;

    /// <summary>Leave out flows that are neither inbound nor outbound.</summary>
    public bool SkipElse { get; init; }

    /// <summary>For which flows the far end becomes <c>INTERNET</c> when its address is routed there.</summary>
    public InternetFolding FoldInternet { get; init; } = InternetFolding.Both;

    /// <summary>
    /// How many entries the tree may hold, including existing ones. Each takes an inode of the file system. A tree takes at most a tenth of the
    /// inodes that are free when it is opened.
    /// </summary>
    public int MaximumEntries { get; init; } = DefaultMaximumEntries;

    /// <summary>Refuse a directory that is not empty.</summary>
    public bool NoClobber { get; init; }
}
