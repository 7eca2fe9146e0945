namespace Conntracker;

/// <summary>Which ruleset a <see cref="FirewallPolicyTest"/> tests flows with, for which host, and with which ruleset it is compared.</summary>
public sealed record FirewallPolicyTestOptions
{
    /// <summary>The ruleset's files, loaded together in this order. With none, and without <see cref="UsesCurrent"/>, a host without rules is tested.</summary>
    public IReadOnlyList<string> Paths { get; init; } = [];

    /// <summary>Whether the ruleset that is loaded now is tested, instead of files.</summary>
    public bool UsesCurrent { get; init; }

    /// <summary>The files of the ruleset before, which the ruleset is compared with.</summary>
    public IReadOnlyList<string> OldPaths { get; init; } = [];

    /// <summary>Whether the ruleset is compared with the one that is loaded now.</summary>
    public bool ComparesWithCurrent { get; init; }

    /// <summary>
    /// Rules that are deleted after loading; they are found by engine, family, table, chain and position. Without another ruleset to compare with, the
    /// ruleset is compared with itself before the deletion.
    /// </summary>
    public IReadOnlyList<FirewallRule> Without { get; init; } = [];

    /// <summary>The host that the ruleset is for; null for this one, or <see cref="NetworkNamespace"/>.</summary>
    public FirewallHost? Host { get; init; }

    /// <summary>The network namespace whose loaded ruleset, and whose interfaces, addresses and routes, are used; null for that of the process.</summary>
    public string? NetworkNamespace { get; init; }

    /// <summary>
    /// Whether files of iptables-save that do not say which program wrote them are loaded with iptables-nft; otherwise with iptables-legacy.
    /// </summary>
    public bool UsesIptablesNft { get; init; }

    /// <summary>Whether the answer to an accepted packet is tested as well.</summary>
    public bool TestsReplies { get; init; } = true;

    /// <summary>Whether only flows are reported for which <see cref="FlowTest.Changed"/> is true.</summary>
    public bool OnlyChanged { get; init; }

    /// <summary>The path of the program <c>conntracker</c>; null for the one beside the engine, or the system's.</summary>
    public string? Program { get; init; }

    /// <summary>Whether two rulesets are compared. Then only flows are reported whose verdict, or deciding rule, differs.</summary>
    public bool Compares => OldPaths.Count > 0 || ComparesWithCurrent || Without.Count > 0;
}
