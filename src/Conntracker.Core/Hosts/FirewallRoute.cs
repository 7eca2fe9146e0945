namespace Conntracker;

/// <summary>A route of a <see cref="FirewallHost"/>.</summary>
public sealed record FirewallRoute
{
    /// <summary>The destination prefix (RTA_DST): <c>192.0.2.0/24</c>; the default route is <c>0.0.0.0/0</c> or <c>::/0</c>.</summary>
    public required string Destination { get; init; }

    /// <summary>
    /// The name of the outgoing interface (RTA_OIF); null for a route without one, such as <c>blackhole</c>. Of a multipath route the first hop.
    /// </summary>
    public string? Interface { get; init; }

    /// <summary>The next hop (RTA_GATEWAY, RTA_VIA); null when the destination is on the link.</summary>
    public string? Gateway { get; init; }

    /// <summary>The preferred source address (RTA_PREFSRC); null when the kernel chooses.</summary>
    public string? Source { get; init; }

    /// <summary>The type (RTN_*): <c>unicast</c>, <c>local</c>, <c>blackhole</c>, <c>unreachable</c>, <c>prohibit</c>, <c>throw</c>, …</summary>
    public string Type { get; init; } = "unicast";

    /// <summary>The table (RTA_TABLE); 254 is <c>main</c>.</summary>
    public uint Table { get; init; } = 254;

    /// <summary>The metric (RTA_PRIORITY).</summary>
    public uint Metric { get; init; }

    /// <summary>
    /// Who made the route (rtm_protocol): 2 the kernel, for the subnet of an address; 3 boot, 4 static, 9 router advertisements, above that routing
    /// daemons.
    /// </summary>
    public byte Protocol { get; init; } = 4;

    /// <summary>The scope (rtm_scope): 0 universe, 253 link, 254 host.</summary>
    public byte Scope { get; init; }

    /// <summary>Whether the gateway is reachable on the link although no address says so (RTNH_F_ONLINK).</summary>
    public bool IsOnLink { get; init; }

    /// <summary>The route as ip(8) writes it, in short.</summary>
    public override string ToString() =>
        $"{(Type == "unicast" ? "" : Type + " ")}{Destination}{(Gateway is null ? "" : $" via {Gateway}")}{(Interface is null ? "" : $" dev {Interface}")}";
}
