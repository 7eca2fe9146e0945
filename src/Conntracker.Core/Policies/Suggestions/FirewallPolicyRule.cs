namespace Conntracker;

/// <summary>A rule of a <see cref="FirewallPolicy"/>: what it accepts, and the flows that it is made of.</summary>
public sealed record FirewallPolicyRule
{
    /// <summary>In, Out or Forward: the chain input, output or forward.</summary>
    public required FlowDirection Direction { get; init; }

    /// <summary>IPv4 or IPv6; <see cref="FlowFamily.None"/> for both.</summary>
    public required FlowFamily Family { get; init; }

    /// <summary>The protocol above IP.</summary>
    public required FlowProtocol Protocol { get; init; }

    /// <summary>The interface that packets come in by; null for any.</summary>
    public string? InInterface { get; init; }

    /// <summary>The interface that packets leave by; null for any.</summary>
    public string? OutInterface { get; init; }

    /// <summary>The sources; empty for any. For an outgoing rule it is always this host, and empty.</summary>
    public IReadOnlyList<AddressRange> Sources { get; init; } = [];

    /// <summary>The destinations after NAT; empty for any, which for an incoming rule is each of the host's own addresses.</summary>
    public IReadOnlyList<AddressRange> Destinations { get; init; } = [];

    /// <summary>The source port; null for any, as in every rule but those of DHCP.</summary>
    public ushort? SourcePort { get; init; }

    /// <summary>The destination ports after NAT; empty for protocols without ports.</summary>
    public IReadOnlyList<PortRange> Ports { get; init; } = [];

    /// <summary>The ICMP types; empty for other protocols.</summary>
    public IReadOnlyList<byte> IcmpTypes { get; init; } = [];

    /// <summary>
    /// How many combinations of source, destination and port the rule accepts that were not seen. 0 accepts what was seen and nothing else. Exact up to
    /// 2^53. Ports of the client do not count.
    /// </summary>
    public double Widening { get; init; }

    /// <summary>How many flows the rule is made of.</summary>
    public long Flows { get; init; }

    /// <summary>How many connections these flows had.</summary>
    public long Connections { get; init; }

    /// <summary>When the first of them was first seen; null when not known.</summary>
    public DateTimeOffset? FirstSeen { get; init; }

    /// <summary>When the last of them was last seen; null when not known.</summary>
    public DateTimeOffset? LastSeen { get; init; }

    /// <summary>The names of the processes on this host that sent or received, most connections first; at most 16.</summary>
    public IReadOnlyList<string> Processes { get; init; } = [];

    /// <summary>The rule in the words of nft(8), without its comment.</summary>
    public override string ToString() => Core.Policies.Suggestions.NftRuleText.Of(this, null);
}
