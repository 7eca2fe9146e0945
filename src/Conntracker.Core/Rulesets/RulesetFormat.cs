namespace Conntracker;

/// <summary>The format of a ruleset, and with it the program that loads it.</summary>
public enum RulesetFormat : byte
{
    /// <summary>A file of nft(8).</summary>
    Nftables = 0,

    /// <summary>The output of iptables-save for IPv4, loaded by iptables-legacy-restore.</summary>
    Iptables = 1,

    /// <summary>The output of ip6tables-save for IPv6, loaded by ip6tables-legacy-restore.</summary>
    Ip6tables = 2,

    /// <summary>The output of iptables-save for IPv4, loaded by iptables-nft-restore.</summary>
    IptablesNft = 3,

    /// <summary>The output of ip6tables-save for IPv6, loaded by ip6tables-nft-restore.</summary>
    Ip6tablesNft = 4,
}
