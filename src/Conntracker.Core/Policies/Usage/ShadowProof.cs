namespace Conntracker.Core.Policies.Usage;

/// <summary>
/// Proves that a rule is shadowed. That an earlier rule covers it follows from the texts of both; the kernel then confirms it: with flows made of the
/// rule's own conditions, the earlier rule takes each of them, and in a trial without the earlier rule each of them meets the rule.
/// </summary>
internal sealed class ShadowProof(IReadOnlyList<FirewallRule> rules, FirewallTrialOptions? options, List<string> notices)
{
    // Each rule that takes packets of others needs a trial of its own.
    private const int MaximumTrials = 50;

    /// <summary>The proved ones of the candidates, each with the rule that takes its packets.</summary>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public Dictionary<FirewallRule, FirewallRule> Prove(IEnumerable<(FirewallRule Rule, FirewallRule Taker)> candidates, CancellationToken cancellation)
    {
        Dictionary<FirewallRule, FirewallRule> proved = new(ReferenceEqualityComparer.Instance);
        List<IGrouping<FirewallRule, FirewallRule>> groups =
        [
            .. candidates.GroupBy<(FirewallRule Rule, FirewallRule Taker), FirewallRule, FirewallRule>(
                each => each.Taker, each => each.Rule, ReferenceEqualityComparer.Instance),
        ];
        if (groups.Count == 0)
        {
            return proved;
        }

        if (options is null)
        {
            notices.Add("Shadowed rules are not shown: only a trial of the loaded rules can prove that a rule is.");
            return proved;
        }

        if (groups.Count > MaximumTrials)
        {
            notices.Add($"Rules that {groups.Count - MaximumTrials} further rules may shadow were not tried: there is a limit of {MaximumTrials} trials.");
        }

        try
        {
            ProbeFlows probes = new(options.Host, rules);
            using FirewallTrial whole = FirewallTrial.Start(options with { TestsReplies = false, Without = [] }, cancellation);
            foreach (IGrouping<FirewallRule, FirewallRule> group in groups.Take(MaximumTrials))
            {
                Prove(group, probes, whole, proved, cancellation);
            }
        }
        catch (ConntrackException error)
        {
            notices.Add($"Shadowed rules are not shown, or not all: a trial was not possible. {error.Message}");
        }

        return proved;
    }

    private void Prove(
        IGrouping<FirewallRule, FirewallRule> group,
        ProbeFlows probes,
        FirewallTrial whole,
        Dictionary<FirewallRule, FirewallRule> proved,
        CancellationToken cancellation)
    {
        List<(FirewallRule Rule, IReadOnlyList<Flow> Flows)> taken = [];
        foreach (FirewallRule rule in group)
        {
            IReadOnlyList<Flow> flows = probes.Of(rule);
            if (flows.Count > 0 && whole.Test(flows, cancellation).All(test => Meets(test, group.Key) && !Meets(test, rule)))
            {
                taken.Add((rule, flows));
            }
        }

        if (taken.Count == 0)
        {
            return;
        }

        using FirewallTrial without = FirewallTrial.Start(options! with { TestsReplies = false, Without = [group.Key] }, cancellation);
        foreach ((FirewallRule rule, IReadOnlyList<Flow> flows) in taken)
        {
            if (without.Test(flows, cancellation).All(test => Meets(test, rule)))
            {
                proved.Add(rule, group.Key);
            }
        }
    }

    // The trial has handles of its own: the position counts.
    private static bool Meets(FlowTest test, FirewallRule rule) => test.Verdict != FlowVerdict.Unknown
        && test.Path.Any(step => new FirewallRuleIndex([rule with { Handle = null }]).Find(step, test.Flow.Family) is not null);
}
