using System.Net;
using System.Net.Sockets;
using Conntracker.Tests.Live.Support;
using Xunit;
using static Conntracker.FlowProtocol;

namespace Conntracker.Tests.Live.Tracing;

/// <summary>An ICMP error belongs to the flow that it is about, and does not change what the rules did to that flow.</summary>
public sealed class IcmpErrorTests
{
    private const int IPPROTO_IP = 0;
    private const int IP_TTL = 2;
    private const int IPPROTO_IPV6 = 41;
    private const int IPV6_UNICAST_HOPS = 16;

    [Theory]
    [InlineData(FlowFamily.IPv4, "accept")]
    [InlineData(FlowFamily.IPv6, "accept")]
    [InlineData(FlowFamily.IPv4, "drop")]
    [InlineData(FlowFamily.IPv6, "drop")]
    public void A_port_that_the_server_has_closed_leaves_the_verdict_as_it_is(FlowFamily family, string verdict)
    {
        using TracedNetwork network = new($$"""
            table inet firewall {
              chain forward { type filter hook forward priority filter; policy drop; ct state related {{verdict}} comment "errors"; udp dport 7000 accept; }
            }
            """);
        network.Send(Udp, family, 40000, 7000);
        Expect(network, $"""
            Accepted: inet firewall forward #2: udp dport 7000 accept
            1 inet firewall forward Rule 2 accept: udp dport 7000 accept
            1 inet firewall forward Rule 1 {verdict}: ct state related {verdict} # errors
            """);
    }

    [Theory]
    [InlineData(FlowFamily.IPv4, "ip", "192.0.2.1", "198.51.100.2")]
    [InlineData(FlowFamily.IPv6, "ip6", "2001:db8:1::1", "2001:db8:2::2")]
    public void A_closed_port_behind_nat_is_told_of_the_flow_as_the_client_knows_it(FlowFamily family, string table, string front, string server)
    {
        using TracedNetwork network = new($$"""
            table {{table}} nat {
              chain prerouting { type nat hook prerouting priority dstnat; policy accept; {{table}} daddr {{front}} meta l4proto udp dnat to {{server}}; }
              chain postrouting { type nat hook postrouting priority srcnat; policy accept; oifname "outside" masquerade; }
            }
            table inet firewall {
              chain forward { type filter hook forward priority filter; policy drop; ct state related accept; udp dport 7000 accept; }
            }
            """);
        TestClient.Send(network.Client, Udp, TracedNetwork.ClientAt(family, 40000), TracedNetwork.FirewallAt(family, 7000));
        Expect(network, $"""
            Accepted: inet firewall forward #2: udp dport 7000 accept
            1 {table} nat prerouting Rule 1 accept: {table} daddr {front} meta l4proto udp dnat to {server}
            1 inet firewall forward Rule 2 accept: udp dport 7000 accept
            1 {table} nat postrouting Rule 1 accept: oifname "outside" masquerade
            1 inet firewall forward Rule 1 accept: ct state related accept
            """);
    }

    [Theory]
    [InlineData(FlowFamily.IPv4)]
    [InlineData(FlowFamily.IPv6)]
    public void A_router_behind_the_firewall_at_which_the_way_ends_leaves_the_verdict_as_it_is(FlowFamily family)
    {
        using TracedNetwork network = new("""
            table inet firewall {
              chain forward { type filter hook forward priority filter; policy drop; ct state related accept; udp dport 7000 accept; }
            }
            """);
        network.Server.WriteSetting("ipv4/ip_forward", "1");
        network.Server.WriteSetting("ipv6/conf/all/forwarding", "1");
        Route(network.Firewall, family, "add", TestNetwork.ServerSide.Host(family).ToString());

        SendFar(network, family, 2);
        Expect(network, """
            Accepted: inet firewall forward #2: udp dport 7000 accept
            1 inet firewall forward Rule 2 accept: udp dport 7000 accept
            1 inet firewall forward Rule 1 accept: ct state related accept
            """);
    }

    [Theory]
    [InlineData(FlowFamily.IPv4)]
    [InlineData(FlowFamily.IPv6)]
    public void A_packet_whose_way_ends_at_the_firewall_has_no_verdict_and_shows_the_answer(FlowFamily family)
    {
        using TracedNetwork network = new("""
            table inet firewall {
              chain prerouting { type filter hook prerouting priority filter; policy accept; }
              chain forward { type filter hook forward priority filter; policy accept; }
              chain output { type filter hook output priority filter; policy accept; }
            }
            """);
        Route(network.Firewall, family, "add", TestNetwork.ServerSide.Host(family).ToString());

        SendFar(network, family, 1);
        Expect(network, """
            Unknown: nothing
            1 inet firewall prerouting Policy 1 accept
            1 inet firewall output Policy 1 accept
            """);
    }

    // No flow but this: an error that found no flow would have made one.
    private static void Expect(TracedNetwork network, string expected) => TraceText.Expect(
        network.Live,
        flow => flow.Protocol == Udp || (flow.Protocol is Icmp or IcmpV6 && (byte?)flow.IcmpType is not (>= 130 and <= 143)),
        expected);

    private static string Far(FlowFamily family) => family == FlowFamily.IPv4 ? "203.0.113.9" : "2001:db8:3::9";

    private static void Route(TestNamespace where, FlowFamily family, string verb, string via) =>
        where.Run("ip", family == FlowFamily.IPv4 ? "-4" : "-6", "route", verb, Far(family), "via", via);

    private static void SendFar(TracedNetwork network, FlowFamily family, int hops) => network.Client.Do(() =>
    {
        using Socket socket = Sockets.Open(Udp, TracedNetwork.ClientAt(family, 40000));
        (int level, int option) = family == FlowFamily.IPv4 ? (IPPROTO_IP, IP_TTL) : (IPPROTO_IPV6, IPV6_UNICAST_HOPS);
        socket.SetRawSocketOption(level, option, BitConverter.GetBytes(hops));
        socket.SendTo(new byte[32], new IPEndPoint(IPAddress.Parse(Far(family)), 7000));
    });
}
