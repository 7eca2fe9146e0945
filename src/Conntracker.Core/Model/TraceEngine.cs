namespace Conntracker;

/// <summary>The packet filter that reported a step.</summary>
public enum TraceEngine : byte
{
    /// <summary>nf_tables (nft and iptables-nft).</summary>
    Nftables = 0,

    /// <summary>x_tables (iptables-legacy and ip6tables-legacy).</summary>
    Iptables = 1,
}
