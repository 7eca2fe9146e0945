namespace Conntracker.Core.Rulesets;

/// <summary>Makes objects of parsed rulesets: the rules of each chain in their order, and after them the policy of a base chain.</summary>
internal static class FirewallRuleList
{
    private static readonly Dictionary<string, string> s_hooks = new()
    {
        ["PREROUTING"] = "prerouting",
        ["INPUT"] = "input",
        ["FORWARD"] = "forward",
        ["OUTPUT"] = "output",
        ["POSTROUTING"] = "postrouting",
    };

    /// <summary>The rules of nftables, chain after chain in the order of the text.</summary>
    public static IReadOnlyList<FirewallRule> Of(NftRuleset ruleset)
    {
        List<FirewallRule> rules = [];
        HashSet<(string, string)> iptablesTables = [.. ruleset.Chains.Where(IsOfIptables).Select(chain => (chain.Family, chain.Table))];
        foreach (NftChain chain in ruleset.Chains)
        {
            FirewallRule model = new()
            {
                Engine = TraceEngine.Nftables,
                Family = chain.Family,
                Table = chain.Table,
                Chain = chain.Name,
                Hook = chain.Hook,
                Priority = chain.Priority,
                Position = 0,
                Text = "",
            };
            string? owner = RuleOwner.OfChain(chain.Table, chain.Name);
            string? otherwise = iptablesTables.Contains((chain.Family, chain.Table)) ? RuleOwner.IptablesNft : null;
            foreach (NftRule rule in chain.Rules)
            {
                string? verdict = NftVerdict.Of(rule);
                rules.Add(model with
                {
                    Position = rule.Position,
                    Handle = rule.Handle,
                    Text = rule.Text,
                    Comment = rule.Comment,
                    Verdict = verdict,
                    Owner = owner ?? RuleOwner.OfRule(verdict, rule.Comment, rule.Text) ?? otherwise,
                });
            }

            if (chain.Policy is string policy)
            {
                rules.Add(Policy(model, chain.Rules.Count, policy) with { Owner = owner ?? otherwise });
            }
        }

        return rules;
    }

    /// <summary>The rules of iptables-legacy, chain after chain in the order of the text.</summary>
    /// <param name="ruleset">The parsed ruleset.</param>
    /// <param name="family">The family that the text is of.</param>
    public static IReadOnlyList<FirewallRule> Of(IptablesRuleset ruleset, FlowFamily family)
    {
        List<FirewallRule> rules = [];
        foreach (IptablesChain chain in ruleset.Chains)
        {
            string? owner = RuleOwner.OfChain(chain.Table, chain.Name);
            string? hook = chain.Policy is null ? null : s_hooks.GetValueOrDefault(chain.Name);
            FirewallRule model = new()
            {
                Engine = TraceEngine.Iptables,
                Family = family == FlowFamily.IPv6 ? "ip6" : "ip",
                Table = chain.Table,
                Chain = chain.Name,
                Hook = hook,
                Priority = chain.Policy is null ? null : HookPriority.NameOfIptables(chain.Table, hook),
                Position = 0,
                Text = "",
            };
            foreach (IptablesRule rule in chain.Rules)
            {
                rules.Add(model with
                {
                    Position = rule.Position,
                    Text = rule.Text,
                    Comment = rule.Comment,
                    Verdict = rule.Verdict,
                    Owner = owner ?? RuleOwner.OfRule(rule.Verdict, rule.Comment, rule.Text),
                });
            }

            if (chain.Policy is string policy)
            {
                rules.Add(Policy(model, chain.Rules.Count, policy.ToLowerInvariant()) with { Owner = owner });
            }
        }

        return rules;
    }

    private static FirewallRule Policy(FirewallRule model, int rules, string policy) => model with
    {
        Type = TraceStepType.Policy,
        Position = rules + 1,
        Text = $"policy {policy}",
        Verdict = policy,
    };

    // iptables-nft has its tables under the names of the legacy ones, with base chains in capital letters.
    private static bool IsOfIptables(NftChain chain) =>
        chain.Family is "ip" or "ip6" && chain.Table is "filter" or "nat" or "mangle" or "raw" or "security"
        && chain.Hook is not null && s_hooks.GetValueOrDefault(chain.Name) == chain.Hook;
}
