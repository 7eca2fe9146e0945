using System.Net;
using Conntracker.Tests.Live.Support;
using Xunit;
using static Conntracker.FlowProtocol;

namespace Conntracker.Tests.Live.Tracing;

/// <summary>Whatever NAT makes of packets, they are packets of one flow, with its rules before and after.</summary>
public sealed class NatTracingTests
{
    [Theory]
    [InlineData(FlowFamily.IPv4, "ip", "192.0.2.1", "198.51.100.2:7000")]
    [InlineData(FlowFamily.IPv6, "ip6", "2001:db8:1::1", "[2001:db8:2::2]:7000")]
    public void A_flow_behind_dnat_and_masquerade_has_the_steps_of_both_directions(FlowFamily family, string table, string front, string server)
    {
        using TracedNetwork network = new($$"""
            table {{table}} nat {
              chain prerouting { type nat hook prerouting priority dstnat; policy accept; {{table}} daddr {{front}} udp dport 6000-6001 dnat to {{server}}; }
              chain postrouting { type nat hook postrouting priority srcnat; policy accept; oifname "outside" masquerade; }
            }
            table inet filter {
              chain forward {
                type filter hook forward priority filter; policy drop;
                ct state established accept; meta l4proto udp ct original proto-dst 6001 drop; udp dport 7000 accept comment "after nat";
              }
            }
            """);
        using EchoServer? echo = EchoServer.Start(network.Server, Udp, TracedNetwork.ServerAt(family, 7000).Address, 7000);

        TestClient.Exchange(network.Client, Udp, TracedNetwork.ClientAt(family, 40000), TracedNetwork.FirewallAt(family, 6000));
        ExpectOnly(network, $"""
            Accepted: inet filter forward #3: udp dport 7000 accept comment "after nat"
            1 {table} nat prerouting Rule 1 accept: {table} daddr {front} udp dport 6000-6001 dnat to {server}
            1 inet filter forward Rule 3 accept: udp dport 7000 accept # after nat
            1 {table} nat postrouting Rule 1 accept: oifname "outside" masquerade
            1 inet filter forward Rule 1 accept: ct state established accept
            """);

        // Connection tracking tells nothing of this one: it is known by the header that the client gave it.
        TestClient.Send(network.Client, Udp, TracedNetwork.ClientAt(family, 40001), TracedNetwork.FirewallAt(family, 6001));
        network.Expect(40001, $"""
            Dropped: inet filter forward #2: meta l4proto udp ct original proto-dst 6001 drop
            1 {table} nat prerouting Rule 1 accept: {table} daddr {front} udp dport 6000-6001 dnat to {server}
            1 inet filter forward Rule 2 drop: meta l4proto udp ct original proto-dst 6001 drop
            """);
        Flow dropped = network.Live.Flows.Single(flow => flow.SrcPort == 40001);
        Assert.Equal(TracedNetwork.FirewallAt(family, 6001).ToString(), new IPEndPoint(dropped.DstAddress, dropped.DstPort!.Value).ToString());
    }

    [Theory]
    [InlineData(FlowFamily.IPv4, "ip", "198.51.100.1:50000")]
    [InlineData(FlowFamily.IPv6, "ip6", "[2001:db8:2::1]:50000")]
    public void A_tcp_connection_behind_snat_has_the_steps_of_both_directions(FlowFamily family, string table, string source)
    {
        using TracedNetwork network = new($$"""
            table {{table}} nat {
              chain postrouting { type nat hook postrouting priority srcnat; policy accept; meta l4proto tcp snat to {{source}}; }
            }
            table inet filter {
              chain forward { type filter hook forward priority filter; policy drop; iifname "inside" accept; ct direction reply accept; }
            }
            """, TraceMode.Everything);

        network.Exchange(Tcp, family, 40000, 7000);
        TraceText.Expect(network.Live, flow => flow.Protocol == Tcp, $"""
            Accepted: inet filter forward #1: iifname "inside" accept
            inet filter forward Rule 1 accept: iifname "inside" accept
            {table} nat postrouting Rule 1 accept: meta l4proto tcp snat to {source}
            inet filter forward Rule 2 accept: ct direction reply accept
            """, counts: false);
    }

    [Theory]
    [InlineData(FlowFamily.IPv4)]
    [InlineData(FlowFamily.IPv6)]
    public void A_redirected_flow_shows_that_it_comes_in(FlowFamily family)
    {
        using TracedNetwork network = new("""
            table inet nat {
              chain prerouting { type nat hook prerouting priority dstnat; policy accept; udp dport 6000 redirect to :7000; }
            }
            table inet filter {
              chain input { type filter hook input priority filter; policy drop; udp dport 7000 accept; meta l4proto ipv6-icmp accept; }
              chain output { type filter hook output priority filter; policy accept; }
            }
            """);
        using EchoServer? echo = EchoServer.Start(network.Firewall, Udp, TracedNetwork.FirewallAt(family, 7000).Address, 7000);

        TestClient.Exchange(network.Client, Udp, TracedNetwork.ClientAt(family, 40000), TracedNetwork.ServerAt(family, 6000));
        ExpectOnly(network, """
            Accepted: inet filter input #1: udp dport 7000 accept
            1 inet nat prerouting Rule 1 accept: udp dport 6000 redirect to :7000
            1 inet filter input Rule 1 accept: udp dport 7000 accept
            1 inet filter output Policy 1 accept
            """);
    }

    [Theory]
    [InlineData(FlowFamily.IPv4)]
    [InlineData(FlowFamily.IPv6)]
    public void What_the_host_itself_sends_behind_dnat_is_one_flow(FlowFamily family)
    {
        string server = TracedNetwork.ServerAt(family, 7000).ToString();
        string of = family == FlowFamily.IPv4 ? "ip" : "ip6";
        using TracedNetwork network = new($$"""
            table {{of}} nat {
              chain output { type nat hook output priority -100; policy accept; udp dport 6000 dnat to {{server}}; }
            }
            table inet filter {
              chain output { type filter hook output priority filter; policy drop; udp dport 7000 accept; meta l4proto ipv6-icmp accept; }
              chain input { type filter hook input priority filter; policy drop; ct state established accept; meta l4proto ipv6-icmp accept; }
            }
            """);
        using EchoServer? echo = EchoServer.Start(network.Server, Udp, TracedNetwork.ServerAt(family, 7000).Address, 7000);

        IPAddress source = TestNetwork.ServerSide.Firewall(family);
        TestClient.Exchange(network.Firewall, Udp, new IPEndPoint(source, 40000), new IPEndPoint(TestNetwork.ClientSide.Host(family), 6000));
        ExpectOnly(network, $"""
            Accepted: inet filter output #1: udp dport 7000 accept
            1 {of} nat output Rule 1 accept: udp dport 6000 dnat to {server}
            1 inet filter output Rule 1 accept: udp dport 7000 accept
            1 inet filter input Rule 1 accept: ct state established accept
            """);
    }

    [Theory]
    [InlineData(FlowFamily.IPv4)]
    [InlineData(FlowFamily.IPv6)]
    public void An_echo_behind_masquerade_is_one_flow(FlowFamily family)
    {
        FlowProtocol icmp = family == FlowFamily.IPv4 ? Icmp : IcmpV6;
        string icmpName = family == FlowFamily.IPv4 ? "icmp" : "ipv6-icmp";
        using TracedNetwork network = new($$"""
            table inet nat {
              chain postrouting { type nat hook postrouting priority srcnat; policy accept; oifname "outside" masquerade; }
            }
            table inet filter {
              chain forward { type filter hook forward priority filter; policy drop; meta l4proto {{icmpName}} accept; }
            }
            """);

        network.Exchange(icmp, family, 77, 0);
        TraceText.Expect(network.Live, flow => flow.IcmpId == 77, $"""
            Accepted: inet filter forward #1: meta l4proto {icmpName} accept
            2 inet filter forward Rule 1 accept: meta l4proto {icmpName} accept
            1 inet nat postrouting Rule 1 accept: oifname "outside" masquerade
            """);
    }

    [Theory]
    [InlineData(FlowFamily.IPv4)]
    [InlineData(FlowFamily.IPv6)]
    public void A_flow_that_is_exempted_from_connection_tracking_appears_with_its_rules(FlowFamily family)
    {
        using TracedNetwork network = new("""
            table inet raw {
              chain prerouting { type filter hook prerouting priority raw; policy accept; udp dport 7000-7001 notrack; udp sport 7000 notrack; }
            }
            table inet filter {
              chain forward { type filter hook forward priority filter; policy accept; udp dport 7001 drop; ct state untracked accept; }
            }
            """);

        network.Exchange(Udp, family, 40000, 7000);
        ExpectOnly(network, """
            Accepted: inet filter forward #2: ct state untracked accept
            1 inet raw prerouting Rule 1 continue: udp dport 7000-7001 notrack
            2 inet raw prerouting Policy 3 accept
            2 inet filter forward Rule 2 accept: ct state untracked accept
            1 inet raw prerouting Rule 2 continue: udp sport 7000 notrack
            """);
        Assert.True(network.Live.Flows.Single(flow => flow.SrcPort == 40000).Confirmed);

        network.Send(Udp, family, 40001, 7001);
        network.Expect(40001, """
            Dropped: inet filter forward #1: udp dport 7001 drop
            1 inet raw prerouting Rule 1 continue: udp dport 7000-7001 notrack
            1 inet raw prerouting Policy 3 accept
            1 inet filter forward Rule 1 drop: udp dport 7001 drop
            """);
    }

    // Of all UDP flows: NAT must not make two of one.
    private static void ExpectOnly(TracedNetwork network, string expected) =>
        TraceText.Expect(network.Live, flow => flow.Protocol == Udp, expected);
}
