namespace Conntracker.Core.Flows;

/// <summary>
/// The types of ICMP messages of both families (RFC 792, RFC 950, RFC 4443, RFC 4620). Echo, timestamp, information and address mask of IPv4, echo and
/// node information of IPv6 are queries with replies, as the kernel pairs them. Only these have an id.
/// </summary>
internal static class Icmp
{
    /// <summary>The type of an echo request.</summary>
    public static byte EchoRequest(FlowProtocol protocol) => protocol == FlowProtocol.Icmp ? (byte)8 : (byte)128;

    /// <summary>Whether messages of this type are queries.</summary>
    public static bool IsQuery(FlowProtocol protocol, byte type) => protocol == FlowProtocol.Icmp
        ? type is 8 or 13 or 15 or 17
        : protocol == FlowProtocol.IcmpV6 && (type is 128 or 139);

    /// <summary>Whether messages of this type are replies to queries.</summary>
    public static bool IsReply(FlowProtocol protocol, byte type) => protocol == FlowProtocol.Icmp
        ? type is 0 or 14 or 16 or 18
        : protocol == FlowProtocol.IcmpV6 && (type is 129 or 140);

    /// <summary>Whether messages of this type have an id.</summary>
    public static bool HasId(FlowProtocol protocol, byte type) => IsQuery(protocol, type) || IsReply(protocol, type);

    /// <summary>The type of the reply to a query, or of the query to a reply; any other type is its own.</summary>
    public static byte Counterpart(FlowProtocol protocol, byte type) => (protocol, type) switch
    {
        (FlowProtocol.Icmp, 8) => 0,
        (FlowProtocol.Icmp, 0) => 8,
        _ when IsQuery(protocol, type) => (byte)(type + 1),
        _ when IsReply(protocol, type) => (byte)(type - 1),
        _ => type,
    };

    /// <summary>Whether messages of this type are errors: the packet that caused them follows.</summary>
    public static bool IsError(FlowProtocol protocol, byte type) => protocol == FlowProtocol.Icmp
        ? type is 3 or 4 or 5 or 11 or 12
        : protocol == FlowProtocol.IcmpV6 && type < 128;
}
