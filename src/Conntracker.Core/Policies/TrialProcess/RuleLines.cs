using Conntracker.Core.Rulesets;

namespace Conntracker.Core.Policies.TrialProcess;

/// <summary>Adds to the rules that were loaded from files where they are in them.</summary>
internal static class RuleLines
{
    /// <summary>The rules with file and line, where these are known: the chain must have as many rules in one file as the kernel has.</summary>
    public static IReadOnlyList<FirewallRule> Add(IReadOnlyList<FirewallRule> rules, IReadOnlyList<RulesetSource> sources)
    {
        Dictionary<(TraceEngine, string, string, string), (string File, List<int> Lines)?> known = [];
        foreach (RulesetSource source in sources.Where(each => each.Path is not null))
        {
            TraceEngine engine = source.Format is RulesetFormat.Iptables or RulesetFormat.Ip6tables ? TraceEngine.Iptables : TraceEngine.Nftables;
            foreach (((string family, string table, string chain), List<int> lines) in Read(source))
            {
                // A chain that two files have rules for is not followed.
                var key = (engine, family, table, chain);
                known[key] = known.ContainsKey(key) ? null : (source.Path!, lines);
            }
        }

        Dictionary<(TraceEngine, string, string, string), int> counts = [];
        foreach (FirewallRule rule in rules.Where(each => each.Type == TraceStepType.Rule))
        {
            var key = (rule.Engine, rule.Family, rule.Table, rule.Chain);
            counts[key] = counts.GetValueOrDefault(key) + 1;
        }

        return [.. rules.Select(rule => WithLine(rule))];

        FirewallRule WithLine(FirewallRule rule)
        {
            var key = (rule.Engine, rule.Family, rule.Table, rule.Chain);
            return rule.Type == TraceStepType.Rule && known.GetValueOrDefault(key) is (string file, List<int> lines) && lines.Count == counts[key]
                ? rule with { File = file, Line = lines[rule.Position - 1] }
                : rule;
        }
    }

    private static Dictionary<(string Family, string Table, string Chain), List<int>> Read(RulesetSource source)
    {
        string text = File.ReadAllText(source.Path!);
        return source.Format switch
        {
            RulesetFormat.Nftables => RulesetLines.OfNftables(text),
            RulesetFormat.Iptables or RulesetFormat.IptablesNft => RulesetLines.OfIptables(text, "ip"),
            _ => RulesetLines.OfIptables(text, "ip6"),
        };
    }
}
