using Conntracker.Tests.Live.Support;
using Xunit;
using static Conntracker.FlowProtocol;

namespace Conntracker.Tests.Live.Tracing;

/// <summary>Every protocol is traced, in packets of any size.</summary>
public sealed class ProtocolTracingTests
{
    private const FlowProtocol Experimental = (FlowProtocol)253;

    [Theory]
    [InlineData(Udp, FlowFamily.IPv4, "udp")]
    [InlineData(Udp, FlowFamily.IPv6, "udp")]
    [InlineData(Tcp, FlowFamily.IPv4, "tcp")]
    [InlineData(Tcp, FlowFamily.IPv6, "tcp")]
    [InlineData(Sctp, FlowFamily.IPv4, "sctp")]
    [InlineData(Sctp, FlowFamily.IPv6, "sctp")]
    [InlineData(Icmp, FlowFamily.IPv4, "icmp")]
    [InlineData(IcmpV6, FlowFamily.IPv6, "ipv6-icmp")]
    [InlineData(Experimental, FlowFamily.IPv4, "253")]
    [InlineData(Experimental, FlowFamily.IPv6, "253")]
    public void Each_protocol_shows_its_rule_and_when_it_is_dropped(FlowProtocol protocol, FlowFamily family, string name)
    {
        using TracedNetwork network = new($$"""
            table inet firewall {
              chain forward { type filter hook forward priority filter; policy drop; ct state established accept; ct mark 0 meta l4proto {{name}} accept; }
            }
            """);
        network.Exchange(protocol, family, 4000, 7000);
        TraceText.Expect(network.Live, flow => IsIt(flow, 4000), $"""
            Accepted: inet firewall forward #2: ct mark 0x00000000 meta l4proto {name} accept
            inet firewall forward Rule 2 accept: ct mark 0x00000000 meta l4proto {name} accept
            inet firewall forward Rule 1 accept: ct state established accept
            """, counts: false);

        // Without ports it would be the same flow.
        network.Firewall.LoadRules("insert rule inet firewall forward drop comment \"no more\"");
        bool hasPorts = protocol != Experimental;
        network.Send(protocol, family, hasPorts ? 4001 : 4000, 7000);
        const string Dropped = "inet firewall forward Rule 1 drop: drop # no more";
        TraceText.Expect(network.Live, flow => IsIt(flow, 4001), hasPorts ? $"Dropped: inet firewall forward #1: drop comment \"no more\"\n{Dropped}" : $"""
            Accepted: inet firewall forward #2: ct mark 0x00000000 meta l4proto {name} accept
            inet firewall forward Rule 2 accept: ct mark 0x00000000 meta l4proto {name} accept
            inet firewall forward Rule 1 accept: ct state established accept
            {Dropped}
            """, counts: false);

        bool IsIt(Flow flow, int port) => flow.Protocol == protocol && (flow.SrcPort ?? flow.IcmpId ?? port) == port;
    }

    [Theory]
    [InlineData(Udp, FlowFamily.IPv4, 4000)]
    [InlineData(Udp, FlowFamily.IPv6, 4000)]
    [InlineData(Icmp, FlowFamily.IPv4, 4000)]
    [InlineData(IcmpV6, FlowFamily.IPv6, 4000)]
    [InlineData(Udp, FlowFamily.IPv4, 40000)]
    [InlineData(Udp, FlowFamily.IPv6, 40000)]
    public void A_packet_in_fragments_is_one_packet_of_one_flow(FlowProtocol protocol, FlowFamily family, int size)
    {
        using TracedNetwork network = new("""
            table inet firewall {
              chain forward {
                type filter hook forward priority filter; policy drop;
                ct state established accept; meta l4proto { udp, icmp, ipv6-icmp } accept;
              }
            }
            """);
        network.Exchange(protocol, family, 4000, 7000, size);
        TraceText.Expect(network.Live, flow => flow.Protocol == protocol && flow.IcmpType is not >= 130, """
            Accepted: inet firewall forward #2: meta l4proto { icmp, udp, ipv6-icmp } accept
            1 inet firewall forward Rule 2 accept: meta l4proto { icmp, udp, ipv6-icmp } accept
            1 inet firewall forward Rule 1 accept: ct state established accept
            """);
    }

    [Theory]
    [InlineData(FlowFamily.IPv4, "ip", "198.51.100.2:7000")]
    [InlineData(FlowFamily.IPv6, "ip6", "[2001:db8:2::2]:7000")]
    public void A_packet_in_fragments_behind_dnat_is_one_packet_of_one_flow(FlowFamily family, string table, string server)
    {
        using TracedNetwork network = new($$"""
            table {{table}} nat {
              chain prerouting { type nat hook prerouting priority dstnat; policy accept; udp dport 6000 dnat to {{server}}; }
            }
            table inet firewall {
              chain forward { type filter hook forward priority filter; policy drop; ct state established accept; udp dport 7000 accept; }
            }
            """);
        using EchoServer? echo = EchoServer.Start(network.Server, Udp, TracedNetwork.ServerAt(family, 7000).Address, 7000);
        TestClient.Exchange(network.Client, Udp, TracedNetwork.ClientAt(family, 4000), TracedNetwork.FirewallAt(family, 6000), 4000);
        TraceText.Expect(network.Live, flow => flow.Protocol == Udp, $"""
            Accepted: inet firewall forward #2: udp dport 7000 accept
            1 {table} nat prerouting Rule 1 accept: udp dport 6000 dnat to {server}
            1 inet firewall forward Rule 2 accept: udp dport 7000 accept
            1 inet firewall forward Rule 1 accept: ct state established accept
            """);
    }

    [Fact]
    public void Protocols_that_are_not_asked_for_do_not_appear_also_when_they_are_dropped()
    {
        using TracedNetwork network = new("""
            table inet firewall {
              chain forward { type filter hook forward priority filter; policy drop; }
            }
            """, TraceMode.Everything, protocols: Udp);
        foreach (FlowFamily family in (FlowFamily[])[FlowFamily.IPv4, FlowFamily.IPv6])
        {
            network.Send(Tcp, family, 40000, 7000);
            network.Send(family == FlowFamily.IPv4 ? Icmp : IcmpV6, family, 77, 0);
            network.Send(Udp, family, 40001, 7000);
            TraceText.Expect(network.Live, flow => flow.Family == family, """
                Dropped: inet firewall forward policy drop
                1 inet firewall forward Policy 1 drop
                """);
        }

        Assert.All(network.Live.Flows, flow => Assert.Equal((Udp, (ushort?)40001), (flow.Protocol, flow.SrcPort)));
    }

    [Theory]
    [InlineData(FlowFamily.IPv4)]
    [InlineData(FlowFamily.IPv6)]
    public void A_flow_in_a_zone_of_connection_tracking_is_one_flow_with_its_steps(FlowFamily family)
    {
        using TracedNetwork network = new("""
            table inet zones {
              chain prerouting { type filter hook prerouting priority raw; policy accept; iifname { "inside", "outside" } ct zone set 7; }
            }
            table inet firewall {
              chain forward { type filter hook forward priority filter; policy drop; ct state established accept; ct zone 7 udp dport 7000 accept; }
            }
            """);
        network.Exchange(Udp, family, 40000, 7000);
        network.Expect(40000, """
            Accepted: inet firewall forward #2: ct zone 7 udp dport 7000 accept
            2 inet zones prerouting Rule 1 continue: iifname { "inside", "outside" } ct zone set 7
            2 inet zones prerouting Policy 2 accept
            1 inet firewall forward Rule 2 accept: ct zone 7 udp dport 7000 accept
            1 inet firewall forward Rule 1 accept: ct state established accept
            """);
        Eventually.Equal(() => 7, () => (int)network.Live.Flows.Single(flow => flow.SrcPort == 40000).Zone);

        // What is dropped is never confirmed, and its packets do not tell the zone.
        network.Send(Udp, family, 40001, 7001);
        network.Expect(40001, """
            Dropped: inet firewall forward policy drop
            1 inet zones prerouting Rule 1 continue: iifname { "inside", "outside" } ct zone set 7
            1 inet zones prerouting Policy 2 accept
            1 inet firewall forward Policy 3 drop
            """);
    }
}
