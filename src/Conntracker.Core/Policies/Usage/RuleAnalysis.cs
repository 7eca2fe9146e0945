namespace Conntracker.Core.Policies.Usage;

/// <summary>Compares the rules of each chain with each other: duplicates, rules that an earlier one covers, and rules that could be further up.</summary>
internal sealed class RuleAnalysis
{
    // Rules further up are not looked at: comparing all with all takes too long in a chain of many thousands.
    private const int MaximumDistance = 2000;

    private readonly Dictionary<FirewallRule, (IReadOnlyList<FirewallRule> Rules, int Index)> _slots = new(ReferenceEqualityComparer.Instance);
    private readonly Dictionary<FirewallRule, RuleMatch> _matches = new(ReferenceEqualityComparer.Instance);
    private readonly Dictionary<FirewallRule, FirewallRule> _duplicates = new(ReferenceEqualityComparer.Instance);
    private readonly Dictionary<(TraceEngine, string, string, string), List<FirewallRule>> _chains = [];
    private readonly Func<FirewallRule, long> _packets;

    /// <param name="rules">The rules, in their order.</param>
    /// <param name="packets">The packets that met a rule.</param>
    public RuleAnalysis(IEnumerable<FirewallRule> rules, Func<FirewallRule, long> packets)
    {
        _packets = packets;
        foreach (FirewallRule rule in rules.Where(rule => rule.Type == TraceStepType.Rule))
        {
            (TraceEngine, string, string, string) key = (rule.Engine, rule.Family, rule.Table, rule.Chain);
            if (!_chains.TryGetValue(key, out List<FirewallRule>? chain))
            {
                _chains.Add(key, chain = []);
            }

            _slots.TryAdd(rule, (chain, chain.Count));
            _matches.TryAdd(rule, RuleMatch.Of(rule));
            chain.Add(rule);
        }

        foreach (List<FirewallRule> chain in _chains.Values)
        {
            FindDuplicates(chain);
        }
    }

    /// <summary>The earlier rule of the chain with the same matches and verdict; null when there is none.</summary>
    public FirewallRule? DuplicateOf(FirewallRule rule) => _duplicates.GetValueOrDefault(rule);

    /// <summary>
    /// Rules that no packet met, each with the first earlier rule that covers it and gives a final verdict. Whether the kernel agrees is for a trial to
    /// say. Duplicates are left out.
    /// </summary>
    public IEnumerable<(FirewallRule Rule, FirewallRule Taker)> Candidates()
    {
        foreach (List<FirewallRule> chain in _chains.Values)
        {
            for (int i = 1; i < chain.Count; i++)
            {
                FirewallRule rule = chain[i];
                if (_packets(rule) > 0 || !_matches[rule].IsUnderstood || _duplicates.ContainsKey(rule))
                {
                    continue;
                }

                for (int j = 0; j < i && j < MaximumDistance; j++)
                {
                    if (IsFinal(chain[j]) && _matches[chain[j]].Covers(_matches[rule]))
                    {
                        yield return (rule, chain[j]);
                        break;
                    }
                }
            }
        }
    }

    /// <summary>
    /// Where a rule could be instead: before which rule, and how many evaluations that saves. It moves only past rules that certainly match none of its
    /// packets, and only when both rules do nothing but match, count, log and give a verdict; then no packet gets another verdict.
    /// </summary>
    /// <returns>Nothing when it saves nothing.</returns>
    public (FirewallRule? Before, long Saved) MoveOf(FirewallRule rule)
    {
        if (!_slots.TryGetValue(rule, out (IReadOnlyList<FirewallRule> Rules, int Index) slot) || !IsFinal(rule))
        {
            return default;
        }

        RuleMatch match = _matches[rule];
        long hits = _packets(rule);
        long cost = 0;
        (FirewallRule? Before, long Saved) best = default;
        int last = Math.Max(0, slot.Index - MaximumDistance);
        for (int i = slot.Index - 1; i >= last && hits > 0; i--)
        {
            FirewallRule passed = slot.Rules[i];
            if (!IsPassable(passed, depth: 0) || !match.IsDisjoint(_matches[passed]))
            {
                break;
            }

            // Packets that a rule takes would be compared with one rule more; those that continue are compared with it anyway.
            cost += passed.Verdict == "continue" ? 0 : _packets(passed);
            long saved = (hits * (slot.Index - i)) - cost;
            best = saved > best.Saved ? (passed, saved) : best;
        }

        return best;
    }

    private static bool IsFinal(FirewallRule rule) =>
        rule.Verdict is "accept" or "drop" or "reject" or "return" || rule.Verdict?.StartsWith("goto ", StringComparison.Ordinal) == true;

    // A chain that a rule jumps to may change the packet and let it come back.
    private bool IsPassable(FirewallRule rule, int depth)
    {
        const int MaximumDepth = 16;
        if (!_matches[rule].IsUnderstood || depth > MaximumDepth)
        {
            return false;
        }

        return rule.Verdict?.StartsWith("jump ", StringComparison.Ordinal) != true
            || (_chains.TryGetValue((rule.Engine, rule.Family, rule.Table, rule.Verdict[5..]), out List<FirewallRule>? chain)
                && chain.Count <= MaximumDistance && chain.All(each => IsPassable(each, depth + 1)));
    }

    private void FindDuplicates(List<FirewallRule> chain)
    {
        Dictionary<string, FirewallRule> seen = [];
        foreach (FirewallRule rule in chain)
        {
            // A rule that lets packets continue does its work each time. A match that depends on more than the packet may match at the second time.
            if (!IsFinal(rule) || RepeatableMatch.DependsOnMore(rule))
            {
                continue;
            }

            string text = $"text {RepeatableMatch.TextOf(rule)}";
            string[] keys = _matches[rule].Key() is string key ? [text, $"{key} {rule.Verdict} {RepeatableMatch.AnswerOf(rule)}"] : [text];
            FirewallRule? same = keys.Select(key => seen.GetValueOrDefault(key)).FirstOrDefault(each => each is not null);
            if (same is not null)
            {
                _duplicates.TryAdd(rule, same);
                continue;
            }

            foreach (string each in keys)
            {
                seen.TryAdd(each, rule);
            }
        }
    }
}
