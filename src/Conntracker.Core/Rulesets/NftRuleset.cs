using System.Text;

namespace Conntracker.Core.Rulesets;

/// <summary>
/// The user's nftables rules at one moment, which give a handle in a trace its meaning. Tables that Conntracker created are left out. Immutable, so
/// that any thread may read it.
/// </summary>
internal sealed class NftRuleset
{
    private readonly Dictionary<(string Family, string Table, string Chain), NftChain> _chains = [];

    private readonly IReadOnlyList<byte[]> _lookalikes;

    private NftRuleset(NftRulesetParts text)
    {
        _lookalikes = [.. text.Lookalikes.Select(Encoding.UTF8.GetBytes)];
        Chains = text.Chains;
        Tables = text.Tables;
        foreach (NftChain chain in Chains)
        {
            _chains.TryAdd((chain.Family, chain.Table, chain.Name), chain);
        }
    }

    /// <summary>A ruleset without chains.</summary>
    public static NftRuleset Empty { get; } = new(new NftRulesetParts());

    /// <summary>All chains, in the order of the text.</summary>
    public IReadOnlyList<NftChain> Chains { get; }

    /// <summary>The handles of all tables, including those without chains; 0 where nft does not print it.</summary>
    public IReadOnlyDictionary<(string Family, string Table), ulong> Tables { get; }

    /// <summary>Reads the text of an <see cref="NftRulesetText"/>. What makes no sense is skipped; it never throws.</summary>
    public static NftRuleset Parse(ReadOnlySpan<char> text) => new(NftRulesetParser.Parse(text));

    /// <summary>Whether a table of family inet with a name like ours is the user's: Conntracker has not created it.</summary>
    public bool IsLookalike(ReadOnlySpan<byte> table)
    {
        foreach (byte[] name in _lookalikes)
        {
            if (table.SequenceEqual(name))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Finds a chain by the names in a trace message; null when there is none.</summary>
    /// <param name="family">The table's family: <c>ip</c>, <c>inet</c>, …</param>
    /// <param name="table">The table's name.</param>
    /// <param name="chain">The chain's name.</param>
    public NftChain? Find(string family, string table, string chain) => _chains.GetValueOrDefault((family, table, chain));
}
