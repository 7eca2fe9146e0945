using static Conntracker.Core.Native.NftablesConstants;

namespace Conntracker.Core.Rulesets;

/// <summary>The families of tables.</summary>
internal static class NftFamily
{
    /// <summary>What nft calls a family; for a number that it does not know, the number in words.</summary>
    /// <param name="family">NFPROTO_*.</param>
    public static string NameOf(byte family) => family switch
    {
        NFPROTO_INET => "inet",
        NFPROTO_IPV4 => "ip",
        NFPROTO_IPV6 => "ip6",
        NFPROTO_ARP => "arp",
        NFPROTO_BRIDGE => "bridge",
        NFPROTO_NETDEV => "netdev",
        _ => $"family {family}",
    };
}
