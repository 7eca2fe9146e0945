namespace Conntracker;

/// <summary>
/// A protocol above IP, by its number in IANA's "Assigned Internet Protocol Numbers". Any number from 0 to 255 is valid;
/// the names are those that connection tracking knows, and a few that are common in firewalls.
/// </summary>
public enum FlowProtocol : byte
{
    /// <summary>Unspecified (0; the IPv6 hop-by-hop option, which no flow has).</summary>
    None = 0,

    /// <summary>Internet Control Message Protocol, RFC 792.</summary>
    Icmp = 1,

    /// <summary>Internet Group Management Protocol, RFC 9776.</summary>
    Igmp = 2,

    /// <summary>Transmission Control Protocol, RFC 9293.</summary>
    Tcp = 6,

    /// <summary>User Datagram Protocol, RFC 768.</summary>
    Udp = 17,

    /// <summary>Datagram Congestion Control Protocol, RFC 4340.</summary>
    Dccp = 33,

    /// <summary>Generic Routing Encapsulation, RFC 2784.</summary>
    Gre = 47,

    /// <summary>Encapsulating Security Payload, RFC 4303.</summary>
    Esp = 50,

    /// <summary>Authentication Header, RFC 4302.</summary>
    Ah = 51,

    /// <summary>ICMP for IPv6, RFC 4443.</summary>
    IcmpV6 = 58,

    /// <summary>Open Shortest Path First, RFC 2328.</summary>
    Ospf = 89,

    /// <summary>Virtual Router Redundancy Protocol, RFC 9568.</summary>
    Vrrp = 112,

    /// <summary>Stream Control Transmission Protocol, RFC 9260.</summary>
    Sctp = 132,

    /// <summary>Lightweight UDP, RFC 3828.</summary>
    UdpLite = 136,
}
