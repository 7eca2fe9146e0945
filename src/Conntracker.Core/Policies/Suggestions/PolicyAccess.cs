using Conntracker.Core.Addresses;

namespace Conntracker.Core.Policies.Suggestions;

/// <summary>What distinguishes flows for rules.</summary>
/// <param name="Scope">Chain, family, protocol and interfaces.</param>
/// <param name="Source">The source before NAT.</param>
/// <param name="Destination">The destination after NAT: what the chains input, output and forward see.</param>
/// <param name="Service">The destination port after NAT, the ICMP type, or <see cref="NoService"/>.</param>
internal readonly record struct PolicyAccess(PolicyScope Scope, AddressBlock Source, AddressBlock Destination, int Service)
{
    /// <summary>The service of protocols without ports.</summary>
    public const int NoService = -1;
}

/// <summary>Chain, family, protocol and interfaces of a rule.</summary>
internal readonly record struct PolicyScope(FlowDirection Direction, FlowFamily Family, FlowProtocol Protocol, string? InInterface, string? OutInterface)
{
    /// <summary>Whether the protocol has ports.</summary>
    public bool HasPorts => Protocol is FlowProtocol.Tcp or FlowProtocol.Udp or FlowProtocol.Sctp or FlowProtocol.Dccp or FlowProtocol.UdpLite;

    /// <summary>Whether the service is an ICMP type.</summary>
    public bool IsIcmp => Protocol is FlowProtocol.Icmp or FlowProtocol.IcmpV6;
}
