using System.Globalization;

namespace Conntracker.Core.Policies.Suggestions;

/// <summary>ICMP types as nft(8) writes them.</summary>
internal static class IcmpNames
{
    /// <summary>ICMP errors that IPv4 needs: path MTU discovery, closed ports, loops.</summary>
    public static IReadOnlyList<byte> Errors4 { get; } = [3, 11, 12];

    /// <summary>ICMPv6 errors (RFC 4890, section 4.3).</summary>
    public static IReadOnlyList<byte> Errors6 { get; } = [1, 2, 3, 4];

    /// <summary>Neighbour and router discovery (RFC 4861): without it a host has no address and no neighbours.</summary>
    public static IReadOnlyList<byte> Discovery6 { get; } = [133, 134, 135, 136];

    /// <summary>Multicast listener discovery (RFC 2710, RFC 3810): without it switches may not deliver neighbour discovery.</summary>
    public static IReadOnlyList<byte> Multicast6 { get; } = [130, 131, 132, 143];

    /// <summary>The type's name, or its number.</summary>
    public static string Of(FlowProtocol protocol, byte type) =>
        (protocol == FlowProtocol.Icmp ? Name4(type) : Name6(type)) ?? type.ToString(CultureInfo.InvariantCulture);

    private static string? Name4(byte type) => type switch
    {
        0 => "echo-reply",
        3 => "destination-unreachable",
        4 => "source-quench",
        5 => "redirect",
        8 => "echo-request",
        9 => "router-advertisement",
        10 => "router-solicitation",
        11 => "time-exceeded",
        12 => "parameter-problem",
        13 => "timestamp-request",
        14 => "timestamp-reply",
        15 => "info-request",
        16 => "info-reply",
        17 => "address-mask-request",
        18 => "address-mask-reply",
        _ => null,
    };

    private static string? Name6(byte type) => type switch
    {
        1 => "destination-unreachable",
        2 => "packet-too-big",
        3 => "time-exceeded",
        4 => "parameter-problem",
        128 => "echo-request",
        129 => "echo-reply",
        130 => "mld-listener-query",
        131 => "mld-listener-report",
        132 => "mld-listener-done",
        133 => "nd-router-solicit",
        134 => "nd-router-advert",
        135 => "nd-neighbor-solicit",
        136 => "nd-neighbor-advert",
        137 => "nd-redirect",
        143 => "mld2-listener-report",
        _ => null,
    };
}
