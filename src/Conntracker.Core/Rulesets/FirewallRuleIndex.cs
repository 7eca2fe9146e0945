namespace Conntracker;

/// <summary>
/// Finds the rule that a step of a trace was at. The place must be the same (engine, family, table and chain), and of a rule the text as well, where
/// the trace has it, with the handle or the position: so a rule is found again that an inserted one has moved, or that a reload has given another
/// handle, and not another rule that has its handle or position now.
/// </summary>
public sealed class FirewallRuleIndex
{
    private readonly Dictionary<(TraceEngine Engine, string Family, string Table, string Chain), List<FirewallRule>> _chains = [];
    private readonly Dictionary<(TraceEngine Engine, string Family, string Table, string Chain, string Text), List<FirewallRule>> _texts = [];

    /// <summary>An index of these rules.</summary>
    public FirewallRuleIndex(IEnumerable<FirewallRule> rules)
    {
        ArgumentNullException.ThrowIfNull(rules);
        foreach (FirewallRule rule in rules)
        {
            if (!_chains.TryGetValue((rule.Engine, rule.Family, rule.Table, rule.Chain), out List<FirewallRule>? chain))
            {
                _chains.Add((rule.Engine, rule.Family, rule.Table, rule.Chain), chain = []);
            }

            chain.Add(rule);
            if (!_texts.TryGetValue((rule.Engine, rule.Family, rule.Table, rule.Chain, rule.Text), out List<FirewallRule>? same))
            {
                _texts.Add((rule.Engine, rule.Family, rule.Table, rule.Chain, rule.Text), same = []);
            }

            same.Add(rule);
        }
    }

    /// <summary>The rule or policy of a step; null when it is none of these, and for the end of a chain.</summary>
    /// <param name="step">The step.</param>
    /// <param name="family">The family of the flow that has the step: a step of iptables has none.</param>
    public FirewallRule? Find(TraceStep step, FlowFamily family)
    {
        ArgumentNullException.ThrowIfNull(step);
        string place = step.Family ?? (family == FlowFamily.IPv6 ? "ip6" : "ip");
        List<FirewallRule>? chain = step switch
        {
            { Type: TraceStepType.Return } => null,
            { Type: TraceStepType.Rule, Rule: string text } => _texts.GetValueOrDefault((step.Engine, place, step.Table, step.Chain, text)),
            _ => _chains.GetValueOrDefault((step.Engine, place, step.Table, step.Chain)),
        };
        foreach (FirewallRule rule in chain ?? [])
        {
            if (IsAt(rule, step))
            {
                return rule;
            }
        }

        return null;
    }

    /// <summary>Whether a packet of a flow met one of these rules.</summary>
    public bool IsMetBy(Flow flow)
    {
        ArgumentNullException.ThrowIfNull(flow);
        return flow.Trace.Any(step => Find(step, flow.Family) is not null);
    }

    private static bool IsAt(FirewallRule rule, TraceStep step)
    {
        if (rule.Type != step.Type)
        {
            return false;
        }

        bool isHandle = rule.Handle is not null && rule.Handle == step.Handle;
        return step.Type == TraceStepType.Policy
            || (step.Rule is null ? isHandle || (step.Handle is null && rule.Position == step.Position)
                : rule.Text == step.Rule && rule.Comment == step.Comment && (isHandle || rule.Position == step.Position));
    }
}
