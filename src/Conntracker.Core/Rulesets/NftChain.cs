namespace Conntracker.Core.Rulesets;

/// <summary>One chain of the user's nftables ruleset, with its rules in the order in which packets meet them.</summary>
internal sealed class NftChain
{
    private readonly Dictionary<ulong, NftRule> _byHandle = [];

    public NftChain(string family, string table, string name, IReadOnlyList<NftRule> rules)
    {
        Family = family;
        Table = table;
        Name = name;
        Rules = rules;
        foreach (NftRule rule in rules)
        {
            _byHandle.TryAdd(rule.Handle, rule);
        }
    }

    /// <summary>The table's family: <c>ip</c>, <c>ip6</c>, <c>inet</c>, <c>arp</c>, <c>bridge</c>, <c>netdev</c>.</summary>
    public string Family { get; }

    /// <summary>The table's name.</summary>
    public string Table { get; }

    /// <summary>The chain's name.</summary>
    public string Name { get; }

    /// <summary>The table's handle, which no other table of the network namespace ever has; 0 when nft does not print it.</summary>
    public ulong TableHandle { get; init; }

    /// <summary>The chain's handle, which no other chain or rule of the table ever has; 0 when nft does not print it.</summary>
    public ulong Handle { get; init; }

    /// <summary>The base chain's type (<c>filter</c>, <c>nat</c>, <c>route</c>); null for a chain that no hook calls.</summary>
    public string? Type { get; init; }

    /// <summary>The base chain's hook (<c>prerouting</c>, <c>ingress</c>, …); null for a chain that no hook calls.</summary>
    public string? Hook { get; init; }

    /// <summary>The base chain's priority as nft prints it (<c>filter + 5</c>, <c>-500</c>); null for a chain that no hook calls.</summary>
    public string? Priority { get; init; }

    /// <summary>The base chain's policy (<c>accept</c>, <c>drop</c>); null for a chain that no hook calls.</summary>
    public string? Policy { get; init; }

    /// <summary>The rules, in their order.</summary>
    public IReadOnlyList<NftRule> Rules { get; }

    /// <summary>The rule with a handle; null when this chain has none.</summary>
    public NftRule? ByHandle(ulong handle) => _byHandle.GetValueOrDefault(handle);
}
