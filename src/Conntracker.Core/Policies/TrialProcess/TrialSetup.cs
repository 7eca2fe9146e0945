namespace Conntracker.Core.Policies.TrialProcess;

/// <summary>The first line that the process of a trial reads: what it builds and loads.</summary>
internal sealed record TrialSetup
{
    /// <summary>The host.</summary>
    public required FirewallHost Host { get; init; }

    /// <summary>The rulesets, in the order in which they are loaded.</summary>
    public required IReadOnlyList<RulesetSource> Rulesets { get; init; }

    /// <summary>Rules that are deleted after loading.</summary>
    public IReadOnlyList<FirewallRule> Without { get; init; } = [];

    /// <summary>Whether answers are tested as well.</summary>
    public bool TestsReplies { get; init; } = true;
}
