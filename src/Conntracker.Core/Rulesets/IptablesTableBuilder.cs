namespace Conntracker.Core.Rulesets;

/// <summary>A table while it is read. Verdicts are decided at its end: only all chains show whether a target is a chain.</summary>
internal sealed class IptablesTableBuilder(string name)
{
    private readonly List<string> _order = [];
    private readonly Dictionary<string, (string? Policy, List<IptablesRuleLine> Rules)> _chains = [];

    /// <summary>Adds a chain.</summary>
    /// <param name="chain">Its name.</param>
    /// <param name="policy">Its policy; null for a user's chain.</param>
    public void AddChain(string chain, string? policy)
    {
        if (_chains.TryAdd(chain, (policy, [])))
        {
            _order.Add(chain);
        }
    }

    /// <summary>Adds a rule.</summary>
    /// <param name="chain">The chain's name.</param>
    /// <param name="text">The rule, without <c>-A CHAIN</c>.</param>
    public void AddRule(string chain, ReadOnlySpan<char> text)
    {
        AddChain(chain, null);
        _chains[chain].Rules.Add(IptablesRuleLine.Read(text));
    }

    /// <summary>Appends the table's chains.</summary>
    public void Build(List<IptablesChain> chains)
    {
        foreach (string chain in _order)
        {
            (string? policy, List<IptablesRuleLine> lines) = _chains[chain];
            List<IptablesRule> rules = new(lines.Count);
            foreach (IptablesRuleLine line in lines)
            {
                rules.Add(new IptablesRule
                {
                    Position = rules.Count + 1,
                    Text = line.Text,
                    Comment = line.Comment,
                    Target = line.Target,
                    Verdict = IptablesVerdict.Of(line.Target, line.IsGoto, line.Target is not null && _chains.ContainsKey(line.Target)),
                });
            }

            chains.Add(new IptablesChain(name, chain, policy, rules));
        }
    }
}
