namespace Conntracker.Core.Export;

/// <summary>What answers an ICMP query, as connection tracking pairs them.</summary>
internal static class IcmpTypes
{
    /// <summary>The type of the opposite direction; a type that has no opposite stands for itself. Applied twice it gives the type back.</summary>
    public static byte Opposite(FlowFamily family, byte type) => (family, type) switch
    {
        (FlowFamily.IPv4, 8) => 0, // echo
        (FlowFamily.IPv4, 0) => 8,
        (FlowFamily.IPv4, 13) => 14, // timestamp
        (FlowFamily.IPv4, 14) => 13,
        (FlowFamily.IPv4, 15) => 16, // information
        (FlowFamily.IPv4, 16) => 15,
        (FlowFamily.IPv4, 17) => 18, // address mask
        (FlowFamily.IPv4, 18) => 17,
        (FlowFamily.IPv6, 128) => 129, // echo
        (FlowFamily.IPv6, 129) => 128,
        (FlowFamily.IPv6, 139) => 140, // node information
        (FlowFamily.IPv6, 140) => 139,
        _ => type,
    };

    /// <summary>True for a type that asks: only such a packet begins a flow.</summary>
    public static bool IsQuery(FlowFamily family, byte type) =>
        family == FlowFamily.IPv4 ? type is 8 or 13 or 15 or 17 : type is 128 or 139;
}
