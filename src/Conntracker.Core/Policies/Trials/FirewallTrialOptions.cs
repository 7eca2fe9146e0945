namespace Conntracker;

/// <summary>What a <see cref="FirewallTrial"/> loads, and for which host.</summary>
public sealed record FirewallTrialOptions
{
    /// <summary>The host whose interfaces, addresses, routes and settings the trial has.</summary>
    public required FirewallHost Host { get; init; }

    /// <summary>The rulesets, loaded in this order; none is a host without rules.</summary>
    public required IReadOnlyList<RulesetSource> Rulesets { get; init; }

    /// <summary>Rules that are deleted after loading; they are found by engine, family, table, chain and position.</summary>
    public IReadOnlyList<FirewallRule> Without { get; init; } = [];

    /// <summary>Whether the answer to an accepted packet is tested as well.</summary>
    public bool TestsReplies { get; init; } = true;

    /// <summary>The path of the program <c>conntracker</c>; null for the one beside the engine, or the system's.</summary>
    public string? Program { get; init; }
}
