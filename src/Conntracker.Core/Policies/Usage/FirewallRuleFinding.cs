namespace Conntracker;

/// <summary>One finding about a rule.</summary>
public sealed record FirewallRuleFinding
{
    /// <summary>What was found.</summary>
    public required FirewallRuleFindingKind Kind { get; init; }

    /// <summary>
    /// The other rule: for a duplicate the earlier one, for a shadowed rule the one that takes its packets, for a rule that could move up the one before
    /// which it could stand. Null for a rule that was never hit.
    /// </summary>
    public FirewallRule? Other { get; init; }

    /// <summary>
    /// For a rule that could move up: how many evaluations of rules the traced packets would have saved, at least. What packets of other rules
    /// would cost is subtracted. Otherwise null.
    /// </summary>
    public long? SavedEvaluations { get; init; }

    /// <summary>
    /// The finding in a few words: <c>never hit</c>, <c>duplicate of rule 3</c>, <c>shadowed by rule 2</c>,
    /// <c>could move before rule 1: saves 4200 evaluations</c>.
    /// </summary>
    public override string ToString() => Kind switch
    {
        FirewallRuleFindingKind.NeverHit => "never hit",
        FirewallRuleFindingKind.Duplicate => $"duplicate of rule {Other?.Position}",
        FirewallRuleFindingKind.Shadowed => $"shadowed by rule {Other?.Position}",
        _ => $"could move before rule {Other?.Position}: saves {SavedEvaluations} evaluations",
    };
}
