using Conntracker.Tests.Live.Support;
using Xunit;
using static Conntracker.FlowProtocol;

namespace Conntracker.Tests.Live.Tracing;

/// <summary>Packets of any protocol, in fragments, and ICMP errors are found by the header that iptables-legacy logs.</summary>
public sealed class IptablesPacketTests
{
    private const FlowProtocol Experimental = (FlowProtocol)253;

    [Theory]
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
        using TracedNetwork network = Iptables.Trace(family, $"""
            *filter
            :FORWARD DROP
            -A FORWARD -m conntrack --ctstate ESTABLISHED -j ACCEPT
            -A FORWARD -s {TracedNetwork.ClientAt(family, 0).Address} -p {name} -m mark --mark 0x0 -j ACCEPT
            COMMIT
            """);
        string length = family == FlowFamily.IPv4 ? "32" : "128";
        string rule = $"-s {TracedNetwork.ClientAt(family, 0).Address}/{length} -p {name} -m mark --mark 0x0 -j ACCEPT";
        network.Exchange(protocol, family, 4000, 7000);
        TraceText.Expect(network.Live, flow => IsIt(flow, 4000), $"""
            Accepted: filter FORWARD #2: {rule}
            filter FORWARD Rule 2 accept: {rule}
            filter FORWARD Rule 1 accept: -m conntrack --ctstate ESTABLISHED -j ACCEPT
            """, counts: false);

        // Without ports it would be the same flow.
        if (protocol != Experimental)
        {
            Iptables.Run(network.Firewall, family, $"-I FORWARD -p {name} -j DROP");
            network.Send(protocol, family, 4001, 7000);
            TraceText.Expect(network.Live, flow => IsIt(flow, 4001), $"""
                Dropped: filter FORWARD #1: -p {name} -j DROP
                filter FORWARD Rule 1 drop: -p {name} -j DROP
                """, counts: false);
        }

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
        using TracedNetwork network = Iptables.Trace(family, """
            *raw
            COMMIT
            *filter
            :FORWARD DROP
            -A FORWARD -m conntrack --ctstate ESTABLISHED -j ACCEPT
            -A FORWARD -i inside -j ACCEPT
            COMMIT
            """);
        network.Exchange(protocol, family, 4000, 7000, size);
        TraceText.Expect(network.Live, flow => flow.Protocol == protocol && (byte?)flow.IcmpType is not >= 130, """
            Accepted: filter FORWARD #2: -i inside -j ACCEPT
            2 raw PREROUTING Policy 1 accept
            1 filter FORWARD Rule 2 accept: -i inside -j ACCEPT
            1 filter FORWARD Rule 1 accept: -m conntrack --ctstate ESTABLISHED -j ACCEPT
            """);
    }

    [Theory]
    [InlineData(FlowFamily.IPv4, "ACCEPT")]
    [InlineData(FlowFamily.IPv6, "ACCEPT")]
    [InlineData(FlowFamily.IPv4, "DROP")]
    [InlineData(FlowFamily.IPv6, "DROP")]
    public void A_port_that_the_server_has_closed_leaves_the_verdict_as_it_is(FlowFamily family, string target)
    {
        string errors = $"-m conntrack --ctstate RELATED -m comment --comment errors -j {target}";
        using TracedNetwork network = Iptables.Trace(family, $"""
            *filter
            :FORWARD DROP
            -A FORWARD {errors}
            -A FORWARD -p udp -m udp --dport 7000 -j ACCEPT
            COMMIT
            """);
        network.Send(Udp, family, 40000, 7000);
        ExpectOnly(network, $"""
            Accepted: filter FORWARD #2: -p udp -m udp --dport 7000 -j ACCEPT
            1 filter FORWARD Rule 2 accept: -p udp -m udp --dport 7000 -j ACCEPT
            1 filter FORWARD Rule 1 {(target == "ACCEPT" ? "accept" : "drop")}: {errors} # errors
            """);
    }

    [Theory]
    [InlineData(FlowFamily.IPv4, "192.0.2.1/32", "198.51.100.2:7000")]
    [InlineData(FlowFamily.IPv6, "2001:db8:1::1/128", "[2001:db8:2::2]:7000")]
    public void A_closed_port_behind_nat_is_told_of_the_flow_as_the_client_knows_it(FlowFamily family, string front, string server)
    {
        using TracedNetwork network = Iptables.Trace(family, $"""
            *nat
            -A PREROUTING -d {front} -p udp -j DNAT --to-destination {server}
            -A POSTROUTING -o outside -j MASQUERADE
            COMMIT
            *filter
            :FORWARD DROP
            -A FORWARD -m conntrack --ctstate RELATED -j ACCEPT
            -A FORWARD -p udp -m udp --dport 7000 -j ACCEPT
            COMMIT
            """);
        TestClient.Send(network.Client, Udp, TracedNetwork.ClientAt(family, 40000), TracedNetwork.FirewallAt(family, 6000));
        ExpectOnly(network, $"""
            Accepted: filter FORWARD #2: -p udp -m udp --dport 7000 -j ACCEPT
            1 nat PREROUTING Rule 1 accept: -d {front} -p udp -j DNAT --to-destination {server}
            1 filter FORWARD Rule 2 accept: -p udp -m udp --dport 7000 -j ACCEPT
            1 nat POSTROUTING Rule 1 accept: -o outside -j MASQUERADE
            1 filter FORWARD Rule 1 accept: -m conntrack --ctstate RELATED -j ACCEPT
            """);
    }

    // No flow but this: an error that found no flow would have made one.
    private static void ExpectOnly(TracedNetwork network, string expected) => TraceText.Expect(
        network.Live,
        flow => flow.Protocol == Udp || (flow.Protocol is Icmp or IcmpV6 && (byte?)flow.IcmpType is not (>= 130 and <= 143)),
        expected);
}
