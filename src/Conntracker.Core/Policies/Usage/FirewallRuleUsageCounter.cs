using Conntracker.Core.Policies.Usage;

namespace Conntracker;

/// <summary>Counts how much the rules of a ruleset are used by traced flows, and finds rules that nobody needs. Not thread-safe.</summary>
public sealed class FirewallRuleUsageCounter
{
    private readonly IReadOnlyList<FirewallRule> _rules;
    private readonly FirewallRuleIndex _index;
    private readonly Dictionary<FirewallRule, RuleCount> _counts;
    private readonly List<string> _notices = [];
    private long _tracedFlows;
    private long _unknownSteps;

    /// <summary>Starts with no flow.</summary>
    /// <param name="rules">The rules and policies, in their order.</param>
    public FirewallRuleUsageCounter(IEnumerable<FirewallRule> rules)
    {
        ArgumentNullException.ThrowIfNull(rules);
        _rules = [.. rules];
        _index = new FirewallRuleIndex(_rules);
        _counts = new Dictionary<FirewallRule, RuleCount>(ReferenceEqualityComparer.Instance);
        foreach (FirewallRule rule in _rules)
        {
            _counts.TryAdd(rule, new RuleCount());
        }
    }

    /// <summary>
    /// What the counts leave open, one sentence each: flows without a trace, rules that are no longer in the ruleset, trials that were not possible.
    /// </summary>
    public IReadOnlyList<string> Notices => _notices;

    /// <summary>Adds a flow. One that was not traced adds nothing.</summary>
    public void Add(Flow flow)
    {
        ArgumentNullException.ThrowIfNull(flow);
        _tracedFlows += flow.Trace.Count > 0 ? 1 : 0;
        HashSet<FirewallRule> met = new(ReferenceEqualityComparer.Instance);
        foreach (TraceStep step in flow.Trace)
        {
            if (_index.Find(step, flow.Family) is not { } rule)
            {
                _unknownSteps += step.Type == TraceStepType.Return ? 0 : 1;
                continue;
            }

            RuleCount count = _counts[rule];
            count.Packets += step.Packets ?? 1;
            if (met.Add(rule))
            {
                count.Flows++;
                count.Connections += flow.Connections;
                count.LastHit = flow.LastSeen > count.LastHit || count.LastHit is null ? flow.LastSeen ?? count.LastHit : count.LastHit;
            }
        }
    }

    /// <summary>The usage of each rule and policy, in their order. Only rules of the same chain are compared with each other.</summary>
    /// <param name="trial">
    /// The host and rulesets that a trial needs to prove that a rule is shadowed; null leaves these findings out, which <see cref="Notices"/> says.
    /// </param>
    /// <param name="cancellation">Ends the trials.</param>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public IReadOnlyList<FirewallRuleUsage> GetUsage(FirewallTrialOptions? trial = null, CancellationToken cancellation = default)
    {
        _notices.Clear();
        AddNotices();
        RuleAnalysis analysis = new(_rules, rule => _counts[rule].Packets);
        Dictionary<FirewallRule, FirewallRule> shadowed = new(ReferenceEqualityComparer.Instance);
        if (_tracedFlows > 0)
        {
            ShadowProof proof = new(_rules, trial, _notices);
            shadowed = proof.Prove(analysis.Candidates(), cancellation);
        }

        return [.. _rules.Select(rule => ToUsage(rule, analysis, shadowed))];
    }

    /// <summary>What a trial of the loaded rules needs, for <see cref="GetUsage"/>.</summary>
    /// <param name="networkNamespace">A name as <c>ip netns</c> shows it, or a path; null for the namespace of the calling thread.</param>
    /// <param name="cancellation">Ends the programs that read.</param>
    /// <exception cref="ConntrackException">The namespace, a program or a capability is missing.</exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public static FirewallTrialOptions ReadTrial(string? networkNamespace, CancellationToken cancellation = default) => new()
    {
        Host = FirewallHostReader.Read(networkNamespace, cancellation),
        Rulesets = RulesetSource.ReadCurrent(networkNamespace, cancellation),
    };

    private FirewallRuleUsage ToUsage(FirewallRule rule, RuleAnalysis analysis, Dictionary<FirewallRule, FirewallRule> shadowed)
    {
        RuleCount count = _counts[rule];
        List<FirewallRuleFinding> findings = [];
        if (rule.Type == TraceStepType.Rule && _tracedFlows > 0)
        {
            if (count.Packets == 0)
            {
                findings.Add(new FirewallRuleFinding { Kind = FirewallRuleFindingKind.NeverHit });
            }

            if (analysis.DuplicateOf(rule) is { } same)
            {
                findings.Add(new FirewallRuleFinding { Kind = FirewallRuleFindingKind.Duplicate, Other = same });
            }

            if (shadowed.TryGetValue(rule, out FirewallRule? taker))
            {
                findings.Add(new FirewallRuleFinding { Kind = FirewallRuleFindingKind.Shadowed, Other = taker });
            }

            if (analysis.MoveOf(rule) is ({ } before, long saved))
            {
                findings.Add(new FirewallRuleFinding { Kind = FirewallRuleFindingKind.CouldMoveUp, Other = before, SavedEvaluations = saved });
            }
        }

        return new FirewallRuleUsage
        {
            Rule = rule,
            Packets = count.Packets,
            Flows = count.Flows,
            Connections = count.Connections,
            LastHit = count.LastHit,
            Findings = findings,
        };
    }

    private void AddNotices()
    {
        if (_tracedFlows == 0)
        {
            _notices.Add("No flow was traced, so nothing is known about the use of rules. Start the capture with tracing.");
        }

        if (_unknownSteps > 0)
        {
            _notices.Add(
                $"{_unknownSteps} steps of traces were at rules that are not in the ruleset, or are not known. The ruleset has changed, or it is another one.");
        }
    }

    private sealed class RuleCount
    {
        public long Packets { get; set; }

        public long Flows { get; set; }

        public long Connections { get; set; }

        public DateTimeOffset? LastHit { get; set; }
    }
}
