namespace Conntracker.Core.Packets;

/// <summary>ICMP queries and their replies (RFC 792, RFC 950, RFC 4443, RFC 4620): only they have an id.</summary>
internal static class IcmpQuery
{
    /// <summary>Whether messages of this type are queries.</summary>
    public static bool IsQuestion(FlowProtocol protocol, byte type) => protocol == FlowProtocol.Icmp
        ? type is 8 or 13 or 15 or 17
        : type is 128 or 139;

    /// <summary>Whether messages of this type are replies to queries.</summary>
    public static bool IsAnswer(FlowProtocol protocol, byte type) => protocol == FlowProtocol.Icmp
        ? type is 0 or 14 or 16 or 18
        : type is 129 or 140;
}
