using Conntracker.Core.Flows;

namespace Conntracker.Core.Decoding;

/// <summary>Who a packet is from and for, as its own header says: the tuple of its flow in the direction in which the packet travels.</summary>
internal struct PacketTuple
{
    /// <summary>The tuple, in zone 0: a packet does not carry its zone.</summary>
    public FlowKey Key;

    /// <summary>
    /// Whether the packet is an ICMP error. <see cref="Key"/> is then that of the flow which the error is about, in the direction of
    /// the error, when enough of the packet that caused it is there.
    /// </summary>
    public bool IsIcmpError;

    /// <summary>The family's own number of the packet (IPv4's identification); 0 for IPv6.</summary>
    public ushort Id;
}
