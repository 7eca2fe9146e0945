namespace Conntracker;

/// <summary>
/// How much of a flow's key was folded: when the capture reached its flow limit, or to show only what a firewall rule needs
/// (<see cref="InternetFolding"/>). A folded flow stands for many connections (<see cref="Flow.Connections"/>). Nothing that was seen is
/// dropped: it is shown in less detail.
/// </summary>
public enum FlowFolding : byte
{
    /// <summary>One flow, with its whole key.</summary>
    None = 0,

    /// <summary>The client's port (1024 and above; an ICMP query's id) is folded: one client, one service.</summary>
    ClientPort = 1,

    /// <summary>The client's address and port are folded: one service. The source address is the unspecified address.</summary>
    Client = 2,

    /// <summary>Only family and protocol are left: there were more services than the flow limit.</summary>
    Protocol = 3,

    /// <summary>
    /// The client's port is folded, and so is the far end's address, because it is on the internet: it is the unspecified address. The far end
    /// of an incoming flow is the source, that of an outgoing flow the destination.
    /// </summary>
    Internet = 4,

    /// <summary>
    /// The client's port is folded, and all addresses but the host's own are subnets of 24 bits (IPv6: 64): a tree had reached its limit.
    /// </summary>
    Subnet = 5,

    /// <summary>As <see cref="Subnet"/>, with subnets of 16 bits (IPv6: 48).</summary>
    WideSubnet = 6,
}
