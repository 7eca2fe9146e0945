namespace Conntracker;

/// <summary>How flows become a tree.</summary>
public sealed class FlowTreeOptions
{
    /// <summary>How many entries a tree holds when nothing else is said.</summary>
    public const int DefaultMaximumEntries = 1_000_000;

    /// <summary>Leave out what neither comes in nor goes out.</summary>
    public bool SkipElse { get; init; }

    /// <summary>Of which flows the far end becomes <c>INTERNET</c> where its address is routed there.</summary>
    public InternetFolding FoldInternet { get; init; } = InternetFolding.Both;

    /// <summary>How many entries the tree may hold, those included that are there already. Each takes an inode of the file system: of those that are free when it is opened, it takes a tenth at most.</summary>
    public int MaximumEntries { get; init; } = DefaultMaximumEntries;

    /// <summary>Refuse a folder that holds anything already.</summary>
    public bool NoClobber { get; init; }
}
