namespace Conntracker.Core.Rulesets;

/// <summary>
/// The legacy rules of one family at one moment, which give a position in a TRACE line its meaning. Immutable, so that any thread may read it.
/// </summary>
internal sealed class IptablesRuleset
{
    private readonly Dictionary<(string Table, string Chain), IptablesChain> _chains = [];

    private IptablesRuleset(IReadOnlyList<IptablesChain> chains)
    {
        Chains = chains;
        foreach (IptablesChain chain in chains)
        {
            _chains.TryAdd((chain.Table, chain.Name), chain);
        }
    }

    /// <summary>A ruleset without chains.</summary>
    public static IptablesRuleset Empty { get; } = new([]);

    /// <summary>All chains, in the order of the text.</summary>
    public IReadOnlyList<IptablesChain> Chains { get; }

    /// <summary>
    /// Reads the output of <c>iptables-legacy-save</c> or <c>ip6tables-legacy-save</c>, with or without counters. Invalid lines are skipped; it never
    /// throws.
    /// </summary>
    public static IptablesRuleset Parse(ReadOnlySpan<char> text) => new(IptablesRulesetParser.Parse(text));

    /// <summary>Finds a chain by the names in a TRACE line; null when there is none.</summary>
    public IptablesChain? Find(string table, string chain) => _chains.GetValueOrDefault((table, chain));
}
