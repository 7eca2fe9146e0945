namespace Conntracker.Core.Rulesets;

/// <summary>The rulesets that a packet may traverse.</summary>
internal enum RulesetKind
{
    /// <summary>nftables, all families; iptables-nft adds its rules there too.</summary>
    Nftables,

    /// <summary>iptables-legacy.</summary>
    Iptables,

    /// <summary>ip6tables-legacy.</summary>
    Ip6tables,
}
