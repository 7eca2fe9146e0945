namespace Conntracker.Core.Policies.Usage;

/// <summary>What of a packet a rule compares.</summary>
internal enum RuleField
{
    /// <summary>The network protocol: 4 or 6.</summary>
    Version,

    /// <summary>The protocol above IP.</summary>
    Protocol,

    /// <summary>The source port.</summary>
    SrcPort,

    /// <summary>The destination port.</summary>
    DstPort,

    /// <summary>The type of an ICMP message.</summary>
    IcmpType,

    /// <summary>The source address; one of IPv4 as its IPv4-mapped IPv6 address.</summary>
    SrcAddress,

    /// <summary>The destination address, likewise.</summary>
    DstAddress,

    /// <summary>The state in connection tracking: each packet has one of <see cref="RuleMatch.States"/>, by its index.</summary>
    State,

    /// <summary>The name of the interface that the packet came in by (<c>iifname</c>).</summary>
    InName,

    /// <summary>The name of the interface that the packet leaves by (<c>oifname</c>).</summary>
    OutName,

    /// <summary>The interface by its index (<c>iif</c>), which nft prints as a name.</summary>
    InIndex,

    /// <summary>The outgoing interface by its index (<c>oif</c>).</summary>
    OutIndex,
}
