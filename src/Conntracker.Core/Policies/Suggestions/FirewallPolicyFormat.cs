namespace Conntracker;

/// <summary>The format in which a <see cref="FirewallPolicy"/> is written.</summary>
public enum FirewallPolicyFormat : byte
{
    /// <summary>A file of nft(8): one table of the family inet, which replaces itself when the file is loaded again.</summary>
    Nftables = 0,

    /// <summary>
    /// A file for iptables-restore(8) and ip6tables-restore(8): rules of one family begin with <c>-4</c> or <c>-6</c>, and the program of the other family
    /// skips them.
    /// </summary>
    Iptables = 1,

    /// <summary>The rules as JSON, for other programs.</summary>
    Json = 2,
}
