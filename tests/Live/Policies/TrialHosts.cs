namespace Conntracker.Tests.Live.Policies;

/// <summary>Descriptions of hosts, and flows, for trials.</summary>
internal static class TrialHosts
{
    /// <summary>A host with the interface eth0 (192.0.2.10/24, 2001:db8::10/64) and a default route.</summary>
    public static FirewallHost Host() => new()
    {
        Name = "host",
        Interfaces = [Loopback(), new FirewallInterface { Name = "eth0", Index = 2, Addresses = ["192.0.2.10/24", "2001:db8::10/64"] }],
        Routes =
        [
            new FirewallRoute { Destination = "0.0.0.0/0", Gateway = "192.0.2.1", Interface = "eth0" },
            new FirewallRoute { Destination = "::/0", Gateway = "2001:db8::1", Interface = "eth0" },
        ],
    };

    /// <summary>A router: lan0 (10.0.0.1/24) and wan0 (198.51.100.2/24) with the default route.</summary>
    public static FirewallHost Router() => new()
    {
        Name = "router",
        Interfaces =
        [
            Loopback(),
            new FirewallInterface { Name = "lan0", Index = 5, Addresses = ["10.0.0.1/24", "2001:db8:a::1/64"] },
            new FirewallInterface { Name = "wan0", Index = 9, Addresses = ["198.51.100.2/24", "2001:db8:b::2/64"] },
        ],
        Routes =
        [
            new FirewallRoute { Destination = "0.0.0.0/0", Gateway = "198.51.100.1", Interface = "wan0" },
            new FirewallRoute { Destination = "::/0", Gateway = "2001:db8:b::1", Interface = "wan0" },
        ],
        Settings = new Dictionary<string, string> { ["net.ipv4.ip_forward"] = "1", ["net.ipv6.conf.all.forwarding"] = "1" },
    };

    private static FirewallInterface Loopback() =>
        new() { Name = "lo", Index = 1, Kind = "loopback", LinkType = 772, Mtu = 65536, Addresses = ["127.0.0.1/8", "::1/128"] };
}
