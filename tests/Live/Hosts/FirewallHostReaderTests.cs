using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using Conntracker.Tests.Live.Support;
using Xunit;

namespace Conntracker.Tests.Live;

/// <summary>The description of a network namespace, compared with what ip(8) says of it.</summary>
public sealed class FirewallHostReaderTests : IDisposable
{
    private readonly TestNamespace _host = new();
    private readonly TestNamespace _other = new();

    public FirewallHostReaderTests()
    {
        _host.Run("ip", "link", "add", "eth0", "type", "veth", "peer", "name", "far0", "netns", _other.Name);
        _host.Run("ip", "link", "add", "br0", "type", "bridge");
        _host.Run("ip", "link", "add", "port0", "master", "br0", "type", "veth", "peer", "name", "port1.5");
        _host.Run("ip", "tuntap", "add", "dev", "tun0", "mode", "tun");
        _host.Run("ip", "tuntap", "add", "dev", "tap0", "mode", "tap");
        foreach (string optional in (string[])
            ["dummy0 type dummy", "wg0 type wireguard", "eth0.10 link eth0 type vlan id 10", "vrf0 type vrf table 10", "gre7 type gre remote 192.0.2.9"])
        {
            // Not every kernel has each kind.
            Tool.Try("ip", ["-n", _host.Name, "link", "add", .. optional.Split(' ')]);
        }

        foreach (string command in (string[])
        [
            "link set eth0 mtu 1400 group 7", "link property add dev eth0 altname enp0s31f6-with-a-long-name",
            "link set eth0 up", "link set br0 up", "link set port0 up", "link set tun0 up",
            "addr add 192.0.2.1/24 dev eth0", "addr add 2001:db8:1::1/64 dev eth0 nodad", "addr add 198.51.100.1/28 dev br0",
            "addr add 10.8.0.1 peer 10.8.0.2/32 dev tun0", "addr add 2001:db8:8::1 peer 2001:db8:8::2/128 dev tun0 nodad",
            "route add default via 192.0.2.254 metric 100", "route add 203.0.113.0/24 via 192.0.2.253 src 192.0.2.1",
            "route add 10.20.0.0/16 via inet6 fe80::1 dev eth0",
            "route add 10.21.0.0/16 via 172.16.0.1 dev eth0 onlink", "route add blackhole 10.66.0.0/16", "route add unreachable 10.67.0.0/16 table 4000",
            "route add local 10.9.0.0/16 dev lo table 100", "route add local 10.7.0.0/16 dev lo",
            "-6 route add default via 2001:db8:1::ff dev eth0 metric 300", "-6 route add prohibit 2001:db8:66::/48",
            "rule add pref 100 from 192.0.2.0/24 to 203.0.113.0/24 iif eth0 table 100", "rule add pref 200 not fwmark 0xca6c table 51820",
            "rule add pref 201 table main suppress_prefixlength 0",
            "-6 rule add pref 300 from 2001:db8:1::/64 oif eth0 prohibit",
        ])
        {
            Tool.Run("ip", ["-n", _host.Name, .. command.Split(' ')]);
        }
    }

    public void Dispose()
    {
        _host.Dispose();
        _other.Dispose();
    }

    [Fact]
    public void Interfaces_are_those_of_ip_link()
    {
        string[] described = [.. Read().Interfaces.Select(each => string.Create(
            CultureInfo.InvariantCulture,
            $"{each.Index} {each.Name} {each.Kind} mtu {each.Mtu} up {each.IsUp} master {each.Master} group {each.Group} ")
            + $"{Ethernet(each.LinkType == 1, each.LinkAddress)} {string.Join(',', each.AlternativeNames)}")];
        string[] said = [.. Ip("-d", "link").Select(each =>
            $"{Text(each, "ifindex")} {Text(each, "ifname")} {Kind(each)} mtu {Text(each, "mtu")} up {HasFlag(each, "UP")} master {Text(each, "master")} "
            + $"group {(Text(each, "group") is "default" ? "0" : Text(each, "group"))} "
            + $"{Ethernet(Text(each, "link_type") == "ether", Text(each, "address"))} {AlternativeNames(each)}")];
        Assert.True(said.Length >= 7);
        Assert.Equal(said, described);
    }

    [Fact]
    public void Addresses_are_those_of_ip_addr()
    {
        string[] said = [.. Ip("addr").SelectMany(link => link.GetProperty("addr_info").EnumerateArray().Select(each =>
            each.TryGetProperty("address", out JsonElement peer)
            ? $"{Text(link, "ifname")} {Text(each, "local")}/{(Text(each, "family") == "inet" ? 32 : 128)} {peer}/{each.GetProperty("prefixlen")}"
            : $"{Text(link, "ifname")} {Text(each, "local")}/{each.GetProperty("prefixlen")} "))];
        FirewallHost host = Read();
        string[] described = [.. host.Interfaces.SelectMany(link => link.Addresses.Select((each, i) =>
            $"{link.Name} {each} {(link.PeerAddresses.Count == 0 ? "" : link.PeerAddresses[i])}"))];
        Assert.Contains("tun0 10.8.0.1/32 10.8.0.2/32", described);
        Assert.Equal(said.Order(StringComparer.Ordinal), described.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Routes_are_those_of_ip_route_but_the_kernels_local_ones()
    {
        string[] said = [.. Ip("-d", "-N", "-4", "route", "show", "table", "all").Select(each => Route(each, "0.0.0.0/0", 32))
            .Concat(Ip("-d", "-N", "-6", "route", "show", "table", "all").Select(each => Route(each, "::/0", 128))).OfType<string>()];
        string[] described = [.. Read().Routes.Select(each => string.Create(
            CultureInfo.InvariantCulture,
            $"{each.Type} {each.Destination} dev {each.Interface} via {each.Gateway} src {each.Source} table {each.Table} ")
            + string.Create(CultureInfo.InvariantCulture, $"metric {each.Metric} proto {each.Protocol} onlink {each.IsOnLink}"))];
        Assert.Contains("local 10.7.0.0/16 dev lo via  src  table 255 metric 0 proto 3 onlink False", described);
        Assert.Contains("blackhole 10.66.0.0/16 dev  via  src  table 254 metric 0 proto 3 onlink False", described);
        Assert.Equal(said.Order(StringComparer.Ordinal), described.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Routing_rules_are_those_that_were_added()
    {
        Assert.Equal(
            [
                new() { Family = FlowFamily.IPv4, Priority = 100, Table = 100, Source = "192.0.2.0/24", Destination = "203.0.113.0/24", InInterface = "eth0" },
                new() { Family = FlowFamily.IPv4, Priority = 200, Table = 51820, Mark = 0xca6c, IsInverted = true },
                new() { Family = FlowFamily.IPv4, Priority = 201, Table = 254, SuppressPrefixLength = 0 },
                new FirewallRoutingRule { Family = FlowFamily.IPv6, Priority = 300, Action = "prohibit", Source = "2001:db8:1::/64", OutInterface = "eth0" },
            ],
            Read().RoutingRules.Where(each => each.Priority != 1000));
    }

    [Fact]
    public void A_usual_routing_rule_that_is_missing_is_noticed()
    {
        Assert.DoesNotContain(Read().Notices, each => each.Contains("usual", StringComparison.Ordinal));
        Tool.Run("ip", "-n", _host.Name, "rule", "del", "pref", "0");
        Assert.Contains(Read().Notices, each => each.StartsWith("The host lacks the usual IPv4 routing rule with the preference 0", StringComparison.Ordinal));
    }

    [Fact]
    public void Settings_are_those_of_the_namespace_with_those_of_each_interface()
    {
        _host.WriteSetting("ipv4/ip_forward", "1");
        _host.WriteSetting("ipv4/conf/eth0/rp_filter", "2");
        _host.WriteSetting("ipv4/conf/port1.5/accept_local", "1");
        _host.WriteSetting("ipv6/conf/eth0/disable_ipv6", "1");

        IReadOnlyDictionary<string, string> settings = Read().Settings;

        Assert.Equal("1", settings["net.ipv4.ip_forward"]);
        Assert.Equal("2", settings["net.ipv4.conf.eth0.rp_filter"]);
        Assert.Equal("1", settings["net.ipv4.conf.port1/5.accept_local"]);
        Assert.Equal("1", settings["net.ipv6.conf.eth0.disable_ipv6"]);
        Assert.Equal("0", settings["net.ipv6.conf.br0.disable_ipv6"]);
        Assert.All(settings, each =>
        {
            string path = each.Key["net.".Length..].Replace('.', '\n').Replace('/', '.').Replace('\n', '/');
            Assert.Equal(_host.ReadSetting(path).Replace('\t', ' '), each.Value);
        });
    }

    [Fact]
    public void Multicast_groups_are_those_that_programs_joined()
    {
        using Socket four = _host.Do(() => new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp));
        using Socket six = _host.Do(() => new Socket(AddressFamily.InterNetworkV6, SocketType.Dgram, ProtocolType.Udp));
        int index = Read().Interfaces.Single(each => each.Name == "eth0").Index;
        MulticastOption group = new(IPAddress.Parse("239.1.2.3"), IPAddress.Parse("192.0.2.1"));
        four.SetSocketOption(SocketOptionLevel.IP, SocketOptionName.AddMembership, group);
        six.SetSocketOption(SocketOptionLevel.IPv6, SocketOptionName.AddMembership, new IPv6MulticastOption(IPAddress.Parse("ff05::1:3"), index));

        FirewallHost host = Read();

        Assert.Equal(["239.1.2.3", "ff05::1:3"], host.Interfaces.Single(each => each.Name == "eth0").MulticastGroups);

        // A bridge joins those of multicast router discovery by itself.
        Assert.All(host.Interfaces.Where(each => each.Name != "eth0" && each.Kind != "bridge"), each => Assert.Empty(each.MulticastGroups));
    }

    [Fact]
    public void A_description_survives_JSON()
    {
        FirewallHost host = Read();
        Assert.Equal(host.ToJson(), FirewallHost.FromJson(host.ToJson()).ToJson());
        Assert.Equal(File.ReadLines("/etc/passwd").Count(line => line.Length > 0), host.Users.Count);
        Assert.Equal(0u, host.Groups["root"]);
        Assert.Equal(Environment.MachineName, host.Name);
    }

    [Fact]
    public void A_hundred_thousand_routes_are_the_limit_and_the_others_are_counted()
    {
        using Tool batch = _host.Start("ip", "-batch", "-");
        batch.Feed(string.Concat(Enumerable.Range(0, 100_100).Select(i => string.Create(
            CultureInfo.InvariantCulture, $"route add blackhole 172.{16 + (i >> 16)}.{(i >> 8) & 255}.{i & 255} table 77\n"))));
        Assert.Equal(0, batch.Wait(TimeSpan.FromMinutes(2)).ExitCode);

        FirewallHost host = Read();

        Assert.Equal(100_000, host.Routes.Count);
        Assert.Contains(host.Notices, each => each.StartsWith("Routes left out beyond the limit of 100000: 1", StringComparison.Ordinal));
    }

    [Fact]
    public void The_program_prints_the_description_or_writes_it_to_a_file()
    {
        using CommandLine program = new();
        string path = program.PathOf("host.json");

        ToolResult printed = CommandLine.Run("host", "--netns", _host.Name);
        ToolResult written = CommandLine.Run("host", "--netns", _host.Name, "-o", path);

        Assert.Equal((0, 0, ""), (printed.ExitCode, written.ExitCode, written.Output));
        FirewallHost host = Read();
        Assert.Equal((host with { ReadAt = null }).ToJson(), (FirewallHost.FromJson(printed.Output) with { ReadAt = null }).ToJson());
        Assert.Equal((host with { ReadAt = null }).ToJson(), (FirewallHost.Load(path) with { ReadAt = null }).ToJson());
        Assert.Equal(string.Concat(host.Notices.Select(each => $"conntracker: note: {each}\n")), printed.Error);

        ToolResult failed = CommandLine.Run("host", "--netns", "nosuch");
        Assert.Equal((1, ""), (failed.ExitCode, failed.Output));
        Assert.StartsWith("conntracker: The network namespace 'nosuch' cannot be opened", failed.Error, StringComparison.Ordinal);
    }

    private FirewallHost Read() => FirewallHostReader.Read(_host.Name, TestContext.Current.CancellationToken);

    private JsonElement[] Ip(params string[] arguments)
    {
        using JsonDocument document = JsonDocument.Parse(Tool.Run("ip", ["-n", _host.Name, "-j", .. arguments]));
        return [.. document.RootElement.EnumerateArray().Where(each => each.EnumerateObject().Any()).Select(each => each.Clone())];
    }

    private static string? Text(JsonElement element, string name) => element.TryGetProperty(name, out JsonElement value) ? value.ToString() : null;

    private static bool HasFlag(JsonElement element, string name) =>
        element.TryGetProperty("flags", out JsonElement flags) && flags.EnumerateArray().Any(flag => flag.GetString() == name);

    private static string? Kind(JsonElement link) => Text(link, "link_type") == "loopback" ? "loopback"
        : link.TryGetProperty("linkinfo", out JsonElement info) ? Text(info, "info_kind") : null;

    private static string Ethernet(bool isEthernet, string? address) => isEthernet ? $"{address}" : "-";

    private static string AlternativeNames(JsonElement link) =>
        link.TryGetProperty("altnames", out JsonElement names) ? string.Join(',', names.EnumerateArray().Select(each => each.GetString())) : "";

    // Null for a route that the kernel derives from the host's own addresses.
    private static string? Route(JsonElement each, string everything, int bits)
    {
        string table = Text(each, "table") is null or "main" ? "254" : Text(each, "table")!;
        string type = Type(Text(each, "type"));
        string protocol = Text(each, "protocol")!;
        if (protocol == "2" && (table == "255" || type is "local" or "broadcast" or "anycast" or "multicast"))
        {
            return null;
        }

        string destination = Text(each, "dst") is "default" or null ? everything : Text(each, "dst")!;
        destination += destination.Contains('/', StringComparison.Ordinal) ? "" : $"/{bits}";
        string? gateway = Text(each, "gateway") ?? (each.TryGetProperty("via", out JsonElement via) ? Text(via, "host") : null);
        return $"{type} {destination} dev {Text(each, "dev")} via {gateway} src {Text(each, "prefsrc")} table {table} "
            + $"metric {Text(each, "metric") ?? "0"} proto {protocol} onlink {HasFlag(each, "onlink")}";
    }

    // With -N it is a number, without it a word.
    private static string Type(string? type) => type switch
    {
        null or "1" => "unicast",
        "2" => "local",
        "3" => "broadcast",
        "4" => "anycast",
        "5" => "multicast",
        "6" => "blackhole",
        "7" => "unreachable",
        "8" => "prohibit",
        _ => type,
    };
}
