namespace Conntracker;

/// <summary>
/// How much of a flow's key was given up: when the capture reached its flow limit, or where only what a firewall rule needs is told
/// (<see cref="InternetFolding"/>). A folded flow stands for many connections (<see cref="Flow.Connections"/>); nothing that was seen is
/// forgotten, it is told more coarsely.
/// </summary>
public enum FlowFolding : byte
{
    /// <summary>One flow, with its whole key.</summary>
    None = 0,

    /// <summary>The client's port (of 1024 and above; an ICMP query's id) is folded: one client, one service.</summary>
    ClientPort = 1,

    /// <summary>The client's address and port are folded: one service. The source address is the unspecified address.</summary>
    Client = 2,

    /// <summary>All that is left is family and protocol: there were more services than the limit allows flows.</summary>
    Protocol = 3,

    /// <summary>
    /// The client's port is folded, and the far end's address with it, because it lies on the internet: it is the unspecified address. Of a flow that
    /// comes in that is the source, of one that goes out the destination.
    /// </summary>
    Internet = 4,

    /// <summary>The client's port is folded, and the addresses but the host's own are subnets, of 24 bits (IPv6: 64): a tree had reached its limit.</summary>
    Subnet = 5,

    /// <summary>As <see cref="Subnet"/>, with subnets of 16 bits (IPv6: 48).</summary>
    WideSubnet = 6,
}
