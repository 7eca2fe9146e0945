using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Text.Json;
using Conntracker.Core.Policies.Network;
using Xunit;

namespace Conntracker.Tests.Live.Policies.Network;

/// <summary>A host that is built from its description is what ip(8) shows: a rule that names an interface, an address or a mark meets the same there.</summary>
public sealed class HostNetworkTests : IDisposable
{
    private readonly TestNamespace _namespace = new();

    private static FirewallHost Host => new()
    {
        Name = "gateway",
        ReadAt = DateTimeOffset.UnixEpoch,
        Interfaces =
        [
            new FirewallInterface
            {
                Name = "lo", Index = 1, Kind = "loopback", LinkType = 772, Mtu = 65536, Addresses = ["127.0.0.1/8", "::1/128", "203.0.113.80/32"],
            },
            new FirewallInterface
            {
                Name = "eth0",
                Index = 42,
                Group = 7,
                Mtu = 1400,
                LinkAddress = "00:16:3e:01:02:03",
                AlternativeNames = ["a-name-that-is-longer-than-15"],
                Addresses = ["192.0.2.1/24", "2001:db8::1/64", "fe80::216:3eff:fe01:203/64"],
                MulticastGroups = ["239.1.2.3", "ff05::1:3"],
            },
            new FirewallInterface { Name = "eth0.100", Index = 43, Kind = "vlan", Addresses = ["198.51.100.1/25"] },
            new FirewallInterface { Name = "eth1", Index = 44, IsUp = false },
            new FirewallInterface
            {
                Name = "wg0", Index = 50, Kind = "wireguard", LinkType = 65534, Mtu = 1420, Addresses = ["10.9.0.1/32"], PeerAddresses = ["10.9.0.2/32"],
            },
            new FirewallInterface { Name = "ppp0", Index = 51, LinkType = 512, Mtu = 1492 },
            new FirewallInterface { Name = "br0", Index = 60, Kind = "bridge", LinkAddress = "00:16:3e:0a:0b:0c", Addresses = ["172.20.0.1/16"] },
            new FirewallInterface { Name = "eth2", Index = 61, Master = "br0" },
        ],
        Routes =
        [
            new FirewallRoute { Destination = "0.0.0.0/0", Interface = "eth0", Gateway = "192.0.2.254", Metric = 100 },
            new FirewallRoute { Destination = "192.0.2.0/24", Interface = "eth0", Scope = 253, Source = "192.0.2.1", Metric = 100 },
            new FirewallRoute { Destination = "198.51.100.0/25", Interface = "eth0.100", Scope = 253 },
            new FirewallRoute { Destination = "172.20.0.0/16", Interface = "br0", Scope = 253 },
            new FirewallRoute { Destination = "10.9.0.2/32", Interface = "wg0", Scope = 253 },
            new FirewallRoute { Destination = "10.0.0.0/8", Interface = "wg0", Gateway = "10.9.0.2", Table = 100 },
            new FirewallRoute { Destination = "10.66.0.0/16", Type = "blackhole", Table = 1000 },
            new FirewallRoute { Destination = "192.168.7.0/24", Interface = "eth0", Gateway = "fe80::99" },
            new FirewallRoute { Destination = "192.168.8.0/24", Interface = "eth0", Gateway = "203.0.113.1" },
            new FirewallRoute { Destination = "2001:db8::/64", Interface = "eth0", Metric = 256 },
            new FirewallRoute { Destination = "fe80::/64", Interface = "eth0", Metric = 256 },
            new FirewallRoute { Destination = "::/0", Interface = "eth0", Gateway = "fe80::1", Metric = 1024 },
        ],
        RoutingRules =
        [
            new FirewallRoutingRule { Family = FlowFamily.IPv4, Priority = 100, Mark = 5, Table = 100 },
            new FirewallRoutingRule
            {
                Family = FlowFamily.IPv4, Priority = 200, Source = "10.66.0.0/16", InInterface = "eth0", Table = 1000, IsInverted = true,
            },
            new FirewallRoutingRule { Family = FlowFamily.IPv6, Priority = 300, Destination = "2001:db8:7::/48", Action = "unreachable" },
        ],
        Settings = new Dictionary<string, string>
        {
            ["net.ipv4.ip_forward"] = "1",
            ["net.ipv4.conf.all.rp_filter"] = "0",
            ["net.ipv4.conf.eth0/100.rp_filter"] = "2",
            ["net.ipv4.conf.eth0.accept_local"] = "0",
            ["net.ipv6.conf.all.forwarding"] = "1",
            ["kernel.hostname"] = "taken",
        },
    };

    public void Dispose() => _namespace.Dispose();

    [Fact]
    public void Interfaces_are_those_of_the_host()
    {
        using HostNetwork network = _namespace.Do(() => HostNetwork.Build(Host));
        JsonElement[] links = Json("-d", "link");
        Assert.Equal(
            ["lo 1 65536", "eth0 42 1400", "eth0.100 43 1500", "eth1 44 1500", "wg0 50 1420", "ppp0 51 1492", "br0 60 1500", "eth2 61 1500"],
            links.Select(each => $"{Text(each, "ifname")} {each.GetProperty("ifindex")} {each.GetProperty("mtu")}"));
        JsonElement eth0 = links.Single(each => Text(each, "ifname") == "eth0");
        Assert.Equal("00:16:3e:01:02:03", Text(eth0, "address"));
        Assert.Equal("7", Text(eth0, "group"));
        Assert.Equal(["a-name-that-is-longer-than-15"], eth0.GetProperty("altnames").EnumerateArray().Select(each => each.GetString()));
        Assert.Equal(["eth1"], links.Where(each => !Flags(each).Contains("UP")).Select(each => Text(each, "ifname")));
        Assert.Equal("br0", Text(links.Single(each => Text(each, "ifname") == "eth2"), "master"));
        Assert.Equal("none", Text(links.Single(each => Text(each, "ifname") == "wg0"), "link_type"));
        Assert.Equal("ppp", Text(links.Single(each => Text(each, "ifname") == "ppp0"), "link_type"));
        Assert.True(network.IsSynchronous);
        Assert.Equal(42, network.Find("eth0")!.Index);
        Assert.Equal("wg0", network.Find(50)!.Name);
        Assert.Null(network.Find("lo"));
        Assert.Equal("bridge", network.Find("br0")!.Kind);
    }

    [Fact]
    public void Addresses_are_usable_at_once_and_there_are_no_others()
    {
        using HostNetwork network = _namespace.Do(() => HostNetwork.Build(Host));
        string[] addresses = [.. Json("addr").SelectMany(link => link.GetProperty("addr_info").EnumerateArray()
            .Where(each => each.TryGetProperty("local", out _))
            .Select(each => $"{Text(link, "ifname")} {Text(each, "local")}/{each.GetProperty("prefixlen")}"
                + $"{Named(each, "address", " peer ")}{Named(each, "tentative", " ")}"))];
        Assert.Equal(
            [
                "lo 127.0.0.1/8", "lo 203.0.113.80/32", "lo ::1/128", "eth0 192.0.2.1/24", "eth0 2001:db8::1/64", "eth0 fe80::216:3eff:fe01:203/64",
                "eth0.100 198.51.100.1/25", "wg0 10.9.0.1/32 peer 10.9.0.2", "br0 172.20.0.1/16",
            ],
            addresses);
        Assert.Contains("239.1.2.3", _namespace.Run("ip", "maddress", "show", "dev", "eth0"), StringComparison.Ordinal);
        Assert.Contains("ff05::1:3", _namespace.Run("ip", "maddress", "show", "dev", "eth0"), StringComparison.Ordinal);
    }

    [Fact]
    public void Routes_and_routing_rules_are_those_of_the_host()
    {
        using HostNetwork network = _namespace.Do(() => HostNetwork.Build(Host));
        Assert.Equal(
            [
                "10.9.0.2 wg0", "172.20.0.0/16 br0", "192.0.2.0/24 eth0 metric 100", "192.168.7.0/24 eth0", "192.168.8.0/24 eth0 via 203.0.113.1",
                "198.51.100.0/25 eth0.100", "default eth0 via 192.0.2.254 metric 100",
            ],
            Routes(Json("route")));
        Assert.Equal(["10.0.0.0/8 wg0 via 10.9.0.2"], Routes(Json("route", "show", "table", "100")));
        Assert.Equal(["10.66.0.0/16"], Routes(Json("route", "show", "table", "1000")));
        Assert.Equal(
            ["2001:db8::/64 eth0 metric 256", "default eth0 via fe80::1 metric 1024", "fe80::/64 eth0 metric 256"],
            Routes(Json("-6", "route")));
        Assert.Equal(
            [
                "0:\tfrom all lookup local", "100:\tfrom all fwmark 0x5 lookup 100", "200:\tnot from 10.66.0.0/16 iif eth0 lookup 1000",
                "32766:\tfrom all lookup main", "32767:\tfrom all lookup default",
            ],
            _namespace.Run("ip", "rule").Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(each => each.Trim()));
        Assert.Contains("300:\tfrom all to 2001:db8:7::/48 unreachable", _namespace.Run("ip", "-6", "rule"), StringComparison.Ordinal);
    }

    [Fact]
    public void Settings_of_the_namespace_are_the_hosts_and_no_others_are_written()
    {
        string name = Environment.MachineName;
        using HostNetwork network = _namespace.Do(() => HostNetwork.Build(Host));
        Assert.Equal("1", _namespace.ReadSetting("ipv4/ip_forward"));
        Assert.Equal("2", _namespace.ReadSetting("ipv4/conf/eth0.100/rp_filter"));
        Assert.Equal("0", _namespace.ReadSetting("ipv4/conf/eth0/rp_filter"));
        Assert.Equal("1", _namespace.ReadSetting("ipv4/conf/all/accept_local"));
        Assert.Equal("1", _namespace.ReadSetting("ipv6/conf/all/forwarding"));
        Assert.Equal(name, File.ReadAllText("/proc/sys/kernel/hostname").Trim());
        Assert.Equal(["The setting kernel.hostname does not belong to a network namespace, and was left out."], network.Notices);
    }

    [Theory]
    [InlineData("192.0.2.77", 0u)]
    [InlineData("8.8.8.8", 0u)]
    [InlineData("10.1.2.3", 0u)]
    [InlineData("10.1.2.3", 5u)]
    [InlineData("10.9.0.2", 0u)]
    [InlineData("172.20.3.4", 0u)]
    [InlineData("192.0.2.1", 0u)]
    [InlineData("203.0.113.80", 0u)]
    [InlineData("127.0.0.53", 0u)]
    [InlineData("::1", 0u)]
    [InlineData("2001:db8::7", 0u)]
    [InlineData("2001:db8::1", 0u)]
    [InlineData("2001:db8:7::1", 0u)]
    public void Routes_are_chosen_as_ip_route_get_shows(string address, uint mark)
    {
        IPAddress destination = IPAddress.Parse(address);
        using HostNetwork network = _namespace.Do(() => HostNetwork.Build(Host));
        using Tool ip = _namespace.Start("ip", "-j", "route", "get", address, "mark", mark.ToString(CultureInfo.InvariantCulture));
        ToolResult shown = ip.Wait();
        string? device = shown.ExitCode == 0 ? Text(JsonDocument.Parse(shown.Output).RootElement[0], "dev") : null;
        bool isLocal = shown.Output.Contains("\"type\":\"local\"", StringComparison.Ordinal);
        Assert.Equal(isLocal ? "lo" : device, network.OutInterfaceFor(destination, mark));
        Assert.Equal(isLocal, network.IsLocal(destination));
        if (mark == 0)
        {
            Assert.Equal(isLocal ? null : device, network.InInterfaceFor(destination)?.Name);
        }
    }

    [Fact]
    public void Broadcast_addresses_of_subnets_are_known() => _namespace.Do(() =>
    {
        using HostNetwork network = HostNetwork.Build(Host);
        Assert.Equal(LinkDestination.Broadcast, network.LinkDestinationFor(IPAddress.Parse("192.0.2.255")));
        Assert.Equal(LinkDestination.ByAddress, network.LinkDestinationFor(IPAddress.Parse("192.0.2.254")));
    });

    [Fact]
    public void A_description_by_hand_needs_addresses_only()
    {
        FirewallHost host = new()
        {
            Interfaces =
            [
                new FirewallInterface { Name = "eth0", Index = 2, Addresses = ["192.0.2.1/24", "2001:db8::1/64"] },
            ],
            Routes = [new FirewallRoute { Destination = "0.0.0.0/0", Interface = "eth0", Gateway = "192.0.2.254" }],
        };
        using HostNetwork network = _namespace.Do(() => HostNetwork.Build(host));
        Assert.Equal([], network.Notices);
        Assert.Equal("eth0", network.InInterfaceFor(IPAddress.Parse("192.0.2.9"))!.Name);
        Assert.Equal("eth0", network.InInterfaceFor(IPAddress.Parse("2001:db8::9"))!.Name);
        Assert.Equal("eth0", network.InInterfaceFor(IPAddress.Parse("8.8.8.8"))!.Name);
    }

    [Fact]
    public void What_cannot_be_built_is_named_and_bounded()
    {
        FirewallHost host = new()
        {
            Interfaces =
            [
                new FirewallInterface { Name = "../eth0", Index = 2 },
                new FirewallInterface { Name = "eth%d", Index = 3 },
                new FirewallInterface { Name = "eth0", Index = 4, Addresses = ["192.0.2.1/33", "nowhere"] },
                new FirewallInterface { Name = "eth0", Index = 5 },
                new FirewallInterface { Name = "eth1", Index = 4 },
            ],
            Routes = [.. Enumerable.Range(0, 100).Select(each => new FirewallRoute { Destination = $"10.0.{each}.0/24", Interface = "gone" })],
        };
        using HostNetwork network = _namespace.Do(() => HostNetwork.Build(host));
        Assert.Equal(["eth0", "eth1"], network.Devices.Select(each => each.Name));
        Assert.Equal(21, network.Notices.Count);
        Assert.StartsWith("'../eth0' cannot be the name of an interface", network.Notices[0], StringComparison.Ordinal);
        Assert.Contains(network.Notices, each => each.StartsWith("'nowhere' of the interface eth0 is not an address", StringComparison.Ordinal));
        Assert.Contains(network.Notices, each => each.StartsWith("The interface eth1 has the number", StringComparison.Ordinal));
        Assert.EndsWith("more parts of the host could not be built.", network.Notices[^1], StringComparison.Ordinal);
    }

    [Fact]
    public void A_large_host_is_built_without_a_notice()
    {
        FirewallHost host = new()
        {
            Interfaces = [.. Enumerable.Range(2, 200).Select(each => new FirewallInterface
            {
                Name = $"eth{each}", Index = each, Group = 3, Addresses = [$"10.{each}.0.1/24", $"fe80::{each:x}/64"],
            })],
            Routes = [.. Enumerable.Range(0, 4000).Select(each => new FirewallRoute
            {
                Destination = $"100.{each / 256}.{each % 256}.0/24", Interface = $"eth{2 + (each % 200)}", Gateway = $"10.{2 + (each % 200)}.0.254",
            })],
        };
        Stopwatch watch = Stopwatch.StartNew();
        using HostNetwork network = _namespace.Do(() => HostNetwork.Build(host));
        TestContext.Current.TestOutputHelper?.WriteLine($"{watch.ElapsedMilliseconds} ms");
        Assert.Equal([], network.Notices);
        Assert.Equal(200, network.Devices.Count);
        Assert.Equal(4000 + 200, Routes(Json("route")).Length);
    }

    private JsonElement[] Json(params string[] arguments) =>
        [.. JsonDocument.Parse(_namespace.Run("ip", ["-j", .. arguments])).RootElement.EnumerateArray()];

    private static string Text(JsonElement element, string name) => element.GetProperty(name).GetString()!;

    private static string Named(JsonElement element, string name, string before) =>
        element.TryGetProperty(name, out JsonElement value) ? $"{before}{value}" : "";

    private static HashSet<string> Flags(JsonElement link) => [.. link.GetProperty("flags").EnumerateArray().Select(each => each.GetString()!)];

    private static string[] Routes(JsonElement[] routes) => [.. routes.Select(each =>
        Text(each, "dst")
        + (each.TryGetProperty("dev", out JsonElement device) ? $" {device}" : "")
        + (each.TryGetProperty("gateway", out JsonElement gateway) ? $" via {gateway}" : "")
        + (each.TryGetProperty("metric", out JsonElement metric) ? $" metric {metric}" : "")).Order(StringComparer.Ordinal)];
}
