using System.Globalization;
using System.Net;
using Conntracker.Core.Flows;

namespace Conntracker.Core.Tracing.Nftables;

/// <summary>Translates flows and queries to nft: keys of sets, and matches of rules.</summary>
internal static class TraceSelector
{
    /// <summary>The maximum number of rules for one query: one for each address with each port.</summary>
    public const int MaximumRules = 256;

    /// <summary>Why the packets of a flow cannot be matched; null when they can.</summary>
    public static string? WhyNot(Flow flow)
    {
        bool lacksPorts = FlowKey.HasPorts(flow.Protocol) && (flow.SrcPort is null || flow.DstPort is null);
        bool lacksId = FlowKey.IsIcmp(flow.Protocol) && flow.IcmpId is null;
        return flow.Folding != FlowFolding.None ? "it is folded and includes many flows. Select by addresses and ports instead."
            : flow.ReplySrcAddress is null || flow.ReplyDstAddress is null || lacksPorts || lacksId
                ? "its tuple is not complete, for example because it comes from a text log. Select by addresses and ports, or use a flow from " +
                    "Get-ConntrackFlow."
            : null;
    }

    /// <summary>Checks that a query can match anything in a capture, and is not too large.</summary>
    /// <param name="query">The query.</param>
    /// <param name="kept">The protocols that the capture keeps; empty for all.</param>
    /// <exception cref="ArgumentException">Nothing can match it, or it is too large.</exception>
    public static void Check(FlowQuery query, IReadOnlyList<FlowProtocol> kept)
    {
        _ = Parts(query);
        if (kept.Count > 0 && query.Protocols.Count > 0 && !query.Protocols.Any(kept.Contains))
        {
            throw new ArgumentException($"No flow can match: the capture is limited to {string.Join(", ", kept)}.");
        }
    }

    /// <summary>The keys of a flow's packets, in both directions, with their sets.</summary>
    public static IEnumerable<(TraceTuple Tuple, string Key)> Elements(Flow flow)
    {
        bool isIcmp = FlowKey.IsIcmp(flow.Protocol);
        string suffix = FlowKey.HasPorts(flow.Protocol) ? "_ports" : isIcmp ? "_icmp" : "_other";
        string nfproto = flow.Family == FlowFamily.IPv6 ? "ipv6" : "ipv4";
        TraceTuple tuple = TraceTuple.All.First(each => each.Nfproto == nfproto && each.Suffix.EndsWith(suffix, StringComparison.Ordinal));
        string original = Key(flow.SrcAddress, flow.DstAddress, flow.SrcPort, flow.DstPort);
        string reply = Key(flow.ReplySrcAddress ?? flow.DstAddress, flow.ReplyDstAddress ?? flow.SrcAddress,
            flow.ReplySrcPort ?? flow.DstPort, flow.ReplyDstPort ?? flow.SrcPort);
        return original == reply ? [(tuple, original)] : [(tuple, original), (tuple, reply)];

        string Key(IPAddress src, IPAddress dst, ushort? srcPort, ushort? dstPort) => string.Create(
            CultureInfo.InvariantCulture,
            $"{src} . {dst}{(isIcmp ? $" . {flow.IcmpId ?? 0}" : $" . {(int)flow.Protocol}")}{(srcPort is null ? "" : $" . {srcPort} . {dstPort ?? 0}")}");
    }

    /// <summary>The matches for packets of a query as they are received or sent: both directions, as long as no address is translated.</summary>
    /// <exception cref="ArgumentException">Nothing can match the query, or it is too large.</exception>
    public static IReadOnlyList<string> Rules(FlowQuery query) =>
    [
        .. from part in Parts(query)
           from rule in (string[])
           [
               $"{part.Protocols} {Match($"{part.Header} saddr", part.Src)}{Match($"{part.Header} daddr", part.Dst)}" +
                   $"{Match("th sport", part.SrcPort)}{Match("th dport", part.DstPort)}",
               $"{part.Protocols} {Match($"{part.Header} daddr", part.Src)}{Match($"{part.Header} saddr", part.Dst)}" +
                   $"{Match("th dport", part.SrcPort)}{Match("th sport", part.DstPort)}",
           ]
           select rule.TrimEnd(),
    ];

    /// <summary>
    /// The rules that, after NAT, trace the replies to a packet of a query: those will carry the translated addresses of the packet.
    /// </summary>
    public static IReadOnlyList<string> ReplyRules(FlowQuery query, string timeout) =>
    [
        .. from part in Parts(query)
           from tuple in TraceTuple.All
           where tuple.Nfproto == part.Nfproto && (tuple.HasPorts || (part.SrcPort is null && part.DstPort is null))
           select $"{part.Protocols} {tuple.Condition} ct direction original "
               + $"{Match($"ct original {part.Header} saddr", part.Src)}{Match($"ct original {part.Header} daddr", part.Dst)}"
               + $"{Match("ct original proto-src", part.SrcPort)}{Match("ct original proto-dst", part.DstPort)}add @{tuple.Set("traced")} {{ "
               + $"{tuple.ReverseKey} timeout {timeout} }}",
    ];

    private static List<Part> Parts(FlowQuery query)
    {
        bool hasPorts = query.SrcPorts.Count + query.DstPorts.Count > 0;
        FlowProtocol[] protocols = [.. query.Protocols.Where(each => !hasPorts || FlowKey.HasPorts(each))];
        string protocol = protocols.Length > 0 ? $"meta l4proto {{ {string.Join(", ", protocols.Select(each => (int)each))} }}"
            : hasPorts ? TraceTuple.ProtocolsWithPorts : "";
        List<Part> parts =
        [
            .. from family in (FlowFamily[])[FlowFamily.IPv4, FlowFamily.IPv6]
               where query.Protocols.Count == 0 || protocols.Length > 0
               from src in Ranges(query.SrcAddresses, family)
               from dst in Ranges(query.DstAddresses, family)
               from srcPort in Ranges(query.SrcPorts)
               from dstPort in Ranges(query.DstPorts)
               select new Part(family, protocol, src, dst, srcPort, dstPort),
        ];
        return parts.Count switch
        {
            0 => throw new ArgumentException("No flow can match: the addresses have different families, or the protocol has no ports."),
            > MaximumRules =>
                throw new ArgumentException($"This requires {parts.Count} rules, one for each combination of address and port. " +
                    $"The limit is {MaximumRules}. Use subnets and port ranges, or several traces."),
            _ => parts,
        };
    }

    private static IEnumerable<PortRange?> Ranges(IReadOnlyList<PortRange?> ranges) =>
        ranges.Count == 0 ? [null] : ranges;

    private static IEnumerable<AddressRange?> Ranges(IReadOnlyList<AddressRange> ranges, FlowFamily family) =>
        ranges.Count == 0 ? [null] : ranges.Where(each => each.Family == family).Select(each => each.IsEverything ? null : each);

    private static string Match(string field, object? value) => value is null ? "" : $"{field} {value} ";

    private sealed record Part(FlowFamily Family, string Protocol, AddressRange? Src, AddressRange? Dst, PortRange? SrcPort, PortRange? DstPort)
    {
        public string Nfproto => Family == FlowFamily.IPv6 ? "ipv6" : "ipv4";

        public string Header => Family == FlowFamily.IPv6 ? "ip6" : "ip";

        public string Protocols => $"meta nfproto {Nfproto} {Protocol}".TrimEnd();
    }
}
