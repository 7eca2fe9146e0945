namespace Conntracker.Core.Tracing.Nftables;

/// <summary>
/// The key of flows in a set of nftables, for a family and a kind of protocol: the addresses with the ports, with the id of an ICMP query, or alone.
/// </summary>
/// <param name="Nfproto">The family as nft names it.</param>
/// <param name="Suffix">The suffix of the names of the sets and the chain.</param>
/// <param name="Condition">The match of its protocols; empty for all others.</param>
/// <param name="KeyType">The type of a set's elements.</param>
/// <param name="Key">The key of a packet.</param>
/// <param name="ReverseKey">The key of the reply to a packet, as long as no address is translated.</param>
internal sealed record TraceTuple(string Nfproto, string Suffix, string Condition, string KeyType, string Key, string ReverseKey)
{
    /// <summary>The match of protocols that have ports.</summary>
    public const string ProtocolsWithPorts = "meta l4proto { tcp, udp, udplite, sctp, dccp }";

    /// <summary>All of them, in the order in which a packet is matched.</summary>
    public static IReadOnlyList<TraceTuple> All { get; } = [.. Of("ipv4", "ip", "icmp", "icmp", 4), .. Of("ipv6", "ip6", "icmpv6", "ipv6-icmp", 6)];

    /// <summary>Whether the protocols have ports.</summary>
    public bool HasPorts => Suffix.EndsWith("_ports", StringComparison.Ordinal);

    /// <summary>The name of a set or chain for these packets.</summary>
    public string Set(string purpose) => $"{purpose}{Suffix}";

    private static TraceTuple[] Of(string nfproto, string header, string icmp, string icmpProtocol, int version)
    {
        string address = $"{nfproto}_addr";
        string ends = $"{header} saddr . {header} daddr";
        string back = $"{header} daddr . {header} saddr";
        return
        [
            new(nfproto, $"{version}_ports", ProtocolsWithPorts,
                $"type {address} . {address} . inet_proto . inet_service . inet_service",
                $"{ends} . meta l4proto . th sport . th dport", $"{back} . meta l4proto . th dport . th sport"),

            // The id of a query. Given by its offset, because nft would otherwise add a match of the types that have one.
            new(nfproto, $"{version}_icmp", $"meta l4proto {icmpProtocol}",
                $"typeof {ends} . {icmp} id", $"{ends} . @th,32,16", $"{back} . @th,32,16"),
            new(nfproto, $"{version}_other", "", $"type {address} . {address} . inet_proto", $"{ends} . meta l4proto", $"{back} . meta l4proto"),
        ];
    }
}
