namespace Conntracker.Core.Tracing.Nftables;

/// <summary>One change of the nftables ruleset, as the kernel reports it: spans into its message.</summary>
internal ref struct RulesetChange
{
    /// <summary>The kind of change.</summary>
    public RulesetChangeKind Kind;

    /// <summary>The table's family: NFPROTO_*.</summary>
    public byte Family;

    /// <summary>The table's name, in UTF-8.</summary>
    public ReadOnlySpan<byte> Table;

    /// <summary>The chain's name, in UTF-8; empty when the change is not of a chain.</summary>
    public ReadOnlySpan<byte> Chain;

    /// <summary>The handle of the table or chain that was created or changed; 0 for other changes.</summary>
    public ulong Handle;

    /// <summary>Whether a hook calls the chain that was created or changed.</summary>
    public bool IsBaseChain;
}

/// <summary>The kinds of <see cref="RulesetChange"/>.</summary>
internal enum RulesetChangeKind
{
    /// <summary>A table was created, or its flags have changed: then it keeps its handle.</summary>
    TableMade,

    /// <summary>A table was deleted.</summary>
    TableDeleted,

    /// <summary>A chain was created, or its policy or name has changed: then it keeps its handle.</summary>
    ChainMade,

    /// <summary>A chain was deleted.</summary>
    ChainDeleted,

    /// <summary>A rule was added or deleted.</summary>
    Rule,

    /// <summary>All changes of a transaction were reported: this one changes nothing itself.</summary>
    Committed,
}
