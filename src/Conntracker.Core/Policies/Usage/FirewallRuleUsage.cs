namespace Conntracker;

/// <summary>How much a rule or policy was used by the traced flows, and what that shows.</summary>
public sealed record FirewallRuleUsage
{
    /// <summary>The rule or policy.</summary>
    public required FirewallRule Rule { get; init; }

    /// <summary>
    /// The traced packets that met it, in both directions. With <see cref="TraceMode.Flows"/> only the first packets of each flow are traced.
    /// </summary>
    public long Packets { get; init; }

    /// <summary>The flows with such packets.</summary>
    public long Flows { get; init; }

    /// <summary>The connections of these flows.</summary>
    public long Connections { get; init; }

    /// <summary>When one of these flows was last seen; null when there is none.</summary>
    public DateTimeOffset? LastHit { get; init; }

    /// <summary>What was found about the rule; empty when nothing was, and for policies.</summary>
    public IReadOnlyList<FirewallRuleFinding> Findings { get; init; } = [];

    /// <summary>The rule and its packets.</summary>
    public override string ToString() => $"{Rule} ({Packets} packets)";
}
