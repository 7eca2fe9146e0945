using Conntracker.Core.Flows;

namespace Conntracker.Core.Packets;

/// <summary>The sender and receiver of a packet by its own headers: the tuple of its flow in the packet's direction.</summary>
internal struct PacketTuple
{
    /// <summary>The tuple, in zone 0: a packet does not carry its zone.</summary>
    public FlowKey Key;

    /// <summary>
    /// Whether the packet is an ICMP error. <see cref="Key"/> is then that of the flow that caused the error, in the direction of the error, when
    /// enough of the packet that caused it is there.
    /// </summary>
    public bool IsIcmpError;

    /// <summary>Whether it is a fragment. A later one has addresses and a protocol, but no ports.</summary>
    public PacketFragment Fragment;

    /// <summary>
    /// What the fragments of one packet share (the identification of IPv4 or of IPv6's fragment header); 0 for an IPv6 packet that is whole.
    /// </summary>
    public uint FragmentId;

    /// <summary>
    /// Bytes from the IP header on, by the header; 0 when it does not say (a jumbogram, or a packet that the interface has yet to segment).
    /// </summary>
    public int Length;

    /// <summary>
    /// The packet's role in its connection: TCP's flags (RFC 9293), the type of SCTP's first chunk (RFC 9260), DCCP's packet type (RFC 4340).
    /// </summary>
    public byte TransportFlags;

    /// <summary>Whether <see cref="TransportFlags"/> was read: the packet in an ICMP error ends before it, and so may a truncated one.</summary>
    public bool HasTransportFlags;

    /// <summary>The part of the IP header that does not change on the packet's way, even through NAT: see <see cref="PacketFingerprint"/>.</summary>
    public ulong Fingerprint;

    /// <summary>For an ICMP error: the fingerprint of the packet that caused it; 0 when that is truncated before the fields.</summary>
    public ulong CauseFingerprint;
}
