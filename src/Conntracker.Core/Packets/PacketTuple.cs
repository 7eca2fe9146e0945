





using Conntracker.Core.Flows;

namespace Conntracker.Core.Packets;

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

    /// <summary>Whether it is a fragment. A later one has addresses and a protocol, but no ports.</summary>
    public PacketFragment Fragment;

    /// <summary>What the fragments of one packet share (identification of IPv4 and of IPv6's fragment header); 0 for an IPv6 packet that is whole.</summary>
    public uint FragmentId;

    /// <summary>Bytes from the IP header on, as the header says; 0 when it does not (a jumbogram, or a packet that the interface has yet to cut).</summary>
    public int Length;

    /// <summary>What the packet does to its connection: TCP's flags (RFC 9293), the type of SCTP's first chunk (RFC 9260), DCCP's packet type (RFC 4340).</summary>
    public byte TransportFlags;

    /// <summary>Whether <see cref="TransportFlags"/> was there: the packet of an ICMP error ends before it, and so does one that was cut off.</summary>
    public bool HasTransportFlags;

    /// <summary>
    /// What of the IP header stays as it is on the packet's way, also through NAT: see <see cref="PacketFingerprint"/>.
    /// </summary>
    public ulong Fingerprint;

    /// <summary>Of an ICMP error: the fingerprint of the packet that it is about, which comes in the first bytes; 0 when it is cut off before.</summary>
    public ulong CauseFingerprint;
}
