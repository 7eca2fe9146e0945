using Conntracker.Core.Hosts;
using Conntracker.Core.Native;
using Conntracker.Core.Netlink;
using Xunit;

namespace Conntracker.Tests.Unit;

/// <summary>The description of a host from what its kernel says, whole and damaged.</summary>
public sealed class HostDecodingTests
{
    private readonly HostOmissions _omissions = new();

    [Fact]
    public void An_interface_has_its_name_index_kind_and_link()
    {
        List<FirewallInterface> interfaces = HostFixture.Interfaces();

        FirewallInterface loopback = interfaces.Single(each => each.Name == "lo");
        Assert.Equal((1, "loopback", (ushort)772, true), (loopback.Index, loopback.Kind, loopback.LinkType, loopback.IsUp));
        FirewallInterface uplink = interfaces.Single(each => each.Name == "eth0");
        Assert.Equal((70, "veth", (ushort)1, "02:00:5e:00:53:01"), (uplink.Index, uplink.Kind, uplink.LinkType, uplink.LinkAddress));
        Assert.Equal((7u, 1400u, true), (uplink.Group, uplink.Mtu, uplink.IsUp));
        Assert.Equal(["enp0s31f6", "uplink-with-a-name-that-is-long"], uplink.AlternativeNames);
        FirewallInterface tunnel = interfaces.Single(each => each.Name == "tun0");
        Assert.Equal(("tun", (ushort)65534, null), (tunnel.Kind, tunnel.LinkType, tunnel.LinkAddress));
        Assert.Equal("bridge", interfaces.Single(each => each.Name == "br0").Kind);
    }

    [Fact]
    public void A_port_of_a_bridge_has_the_bridge_as_its_master()
    {
        List<(string Name, int Master)> masters = HostFixture.Decode((in NetlinkMessage message, out (string, int) found) =>
        {
            DecodeResult result = InterfaceDecoder.Decode(in message, out FirewallInterface? one, out int master);
            found = (one?.Name ?? "", master);
            return result;
        });
        Assert.Equal(["far0"], masters.Where(each => each.Master != 0).Select(each => each.Name));
        Assert.Equal("br0", HostFixture.Names()[masters.Single(each => each.Master != 0).Master]);
    }

    [Fact]
    public void An_address_has_its_prefix_length_and_a_peer_where_there_is_one()
    {
        Dictionary<int, string> names = HostFixture.Names();
        string[] addresses = [.. HostFixture.Decode<InterfaceAddress>(InterfaceAddress.Decode)
            .Select(each => $"{names[each.Index]} {each.Address} {each.Peer}".TrimEnd())];
        Assert.Equal(
            [
                "br0 198.51.100.1/28", "eth0 192.0.2.1/24", "eth0 2001:db8:1::1/64", "lo 127.0.0.1/8", "lo ::1/128",
                "tun0 10.8.0.1/32 10.8.0.2/32", "tun0 2001:db8:8::1/128 2001:db8:8::2/128",
            ],
            addresses.Where(each => !each.Contains(" fe80:", StringComparison.Ordinal)).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void The_routes_are_those_that_were_added_and_those_of_the_subnets()
    {
        string[] routes = [.. HostFixture.Decode<FirewallRoute>(new HostRouteDecoder(HostFixture.Names(), _omissions).Decode)
            .Where(each => !each.Destination.StartsWith("fe80:", StringComparison.Ordinal))
            .Select(each => $"{each} table {each.Table} metric {each.Metric} scope {each.Scope} proto {each.Protocol}"
                + (each.Source is null ? "" : $" src {each.Source}") + (each.IsOnLink ? " onlink" : ""))];
        Assert.Equal(
            [
                "0.0.0.0/0 via 192.0.2.254 dev eth0 table 254 metric 100 scope 0 proto 3",
                "10.20.0.0/16 via fe80::1 dev eth0 table 254 metric 0 scope 0 proto 3",
                "10.21.0.0/16 via 172.16.0.1 dev eth0 table 254 metric 0 scope 0 proto 3 onlink",
                "10.8.0.2/32 dev tun0 table 254 metric 0 scope 253 proto 2 src 10.8.0.1",
                "192.0.2.0/24 dev eth0 table 254 metric 0 scope 253 proto 2 src 192.0.2.1",
                "2001:db8:1::/64 dev eth0 table 254 metric 256 scope 0 proto 2",
                "2001:db8:8::1/128 dev tun0 table 254 metric 256 scope 0 proto 2",
                "2001:db8:8::2/128 dev tun0 table 254 metric 256 scope 0 proto 2",
                "203.0.113.0/24 via 192.0.2.253 dev eth0 table 254 metric 0 scope 0 proto 3 src 192.0.2.1",
                "203.0.113.128/25 via 192.0.2.252 dev eth0 table 254 metric 0 scope 0 proto 3",
                "::/0 via 2001:db8:1::ff dev eth0 table 254 metric 300 scope 0 proto 3",
                "blackhole 10.66.0.0/16 table 254 metric 0 scope 0 proto 3",
                "local 10.9.0.0/16 dev lo table 100 metric 0 scope 254 proto 3",
                "prohibit 2001:db8:66::/48 dev lo table 254 metric 1024 scope 0 proto 3",
                "unreachable 10.67.0.0/16 table 4000 metric 0 scope 0 proto 3",
            ],
            routes.Order(StringComparer.Ordinal));
        Assert.Equal(
            [
                "Routes left out because they depend on the packet's DSCP: 1.",
                "Routes left out because they depend on the packet's source: 1.",
                "Routes with several next hops, of which only the first one is described: 1.",
            ],
            _omissions.ToNotices());
    }

    [Fact]
    public void A_routing_rule_has_each_of_its_conditions()
    {
        List<FirewallRoutingRule> rules = HostFixture.Decode<FirewallRoutingRule>(new RoutingRuleDecoder(_omissions).Decode);

        Assert.Equal(
            [
                new()
                {
                    Family = FlowFamily.IPv4, Priority = 100, Table = 100, Source = "192.0.2.0/24", Destination = "203.0.113.0/24",
                    InInterface = "eth0", OutInterface = "tun0",
                },
                new() { Family = FlowFamily.IPv4, Priority = 200, Table = 51820, Mark = 0xca6c, IsInverted = true },
                new() { Family = FlowFamily.IPv4, Priority = 201, Table = 254, SuppressPrefixLength = 0 },
                new() { Family = FlowFamily.IPv4, Priority = 202, Action = "blackhole", Mark = 0x100, MarkMask = 0xff00 },
                new FirewallRoutingRule { Family = FlowFamily.IPv6, Priority = 300, Action = "prohibit", Source = "2001:db8:1::/64" },
            ],
            rules.Where(each => each.Priority is > 0 and < 32766));
        Assert.Equal(5, rules.Count(each => each.Priority is 0 or >= 32766));
        Assert.Equal(
            [
                "The routing rules with these preferences were left out because they have conditions or actions that a description cannot hold: "
                + "203 (IPv4), 301 (IPv6).",
            ],
            _omissions.ToNotices());
    }

    // The kinds that the kernel of the fixture lacks.
    [Theory]
    [InlineData("wireguard", 65534)]
    [InlineData("vlan", 1)]
    [InlineData("vrf", 1)]
    public void A_kind_is_what_the_kernel_calls_it(string kind, ushort linkType)
    {
        byte[] buffer = new byte[256];
        NetlinkWriter writer = new(buffer);
        writer.BeginMessage(LinkConstants.RTM_NEWLINK, 0, 1);
        writer.WriteStruct(new ifinfomsg { ifi_index = 9, ifi_type = linkType });
        writer.WriteBytes(LinkConstants.IFLA_IFNAME, "some9\0"u8);
        int mark = writer.BeginNested(LinkConstants.IFLA_LINKINFO);
        writer.WriteBytes(LinkConstants.IFLA_INFO_KIND, System.Text.Encoding.UTF8.GetBytes(kind + "\0"));
        writer.EndNested(mark);
        writer.EndMessage();

        Assert.Equal(DecodeResult.Decoded, HostFixture.Decode(writer.Written, Link, out FirewallInterface? found));
        Assert.Equal(("some9", kind, linkType, false), (found!.Name, found.Kind, found.LinkType, found.IsUp));
    }

    [Fact]
    public void A_route_whose_interface_is_not_known_is_left_out_and_counted()
    {
        HostFixture.Decode<FirewallRoute>(new HostRouteDecoder(new Dictionary<int, string>(), _omissions).Decode);
        Assert.Contains(_omissions.ToNotices(), each => each.Contains("because their interface is new or gone: ", StringComparison.Ordinal));
    }

    [Fact]
    public void A_message_that_is_cut_or_changed_anywhere_never_throws()
    {
        HostRouteDecoder routes = new(HostFixture.Names(), _omissions);
        RoutingRuleDecoder rules = new(_omissions);
        foreach (byte[] message in HostFixture.Messages())
        {
            for (int length = 16; length < message.Length; length++)
            {
                byte[] cut = message[..length];
                BitConverter.TryWriteBytes(cut, length);
                DecodeAll(cut, routes, rules);
            }

            for (int at = 16; at < message.Length; at++)
            {
                foreach (byte change in (byte[])[0x01, 0x80, 0xff])
                {
                    byte[] changed = [.. message];
                    changed[at] ^= change;
                    DecodeAll(changed, routes, rules);
                }
            }
        }
    }

    private static DecodeResult Link(in NetlinkMessage message, out FirewallInterface? found) => InterfaceDecoder.Decode(in message, out found, out _);

    private static void DecodeAll(byte[] bytes, HostRouteDecoder routes, RoutingRuleDecoder rules)
    {
        DecodeResult[] results =
        [
            HostFixture.Decode<FirewallInterface>(bytes, Link, out FirewallInterface? link),
            HostFixture.Decode<InterfaceAddress>(bytes, InterfaceAddress.Decode, out _),
            HostFixture.Decode<FirewallRoute>(bytes, routes.Decode, out FirewallRoute? route),
            HostFixture.Decode<FirewallRoutingRule>(bytes, rules.Decode, out FirewallRoutingRule? rule),
        ];
        Assert.True(results.Count(each => each == DecodeResult.Decoded) <= 1);
        Assert.Equal((results[0], results[2], results[3]), (Of(link, results[0]), Of(route, results[2]), Of(rule, results[3])));
    }

    // A result is there if and only if it was decoded.
    private static DecodeResult Of(object? found, DecodeResult result) => found is null == (result != DecodeResult.Decoded) ? result : (DecodeResult)(-1);
}
