using System.Net;
using Conntracker.Tests.Live.Support;
using Xunit;
using static Conntracker.FlowProtocol;

namespace Conntracker.Tests.Live.Tracing;

/// <summary>Lines of iptables-legacy have no connection id: whatever NAT has made of a packet, its header finds the flow.</summary>
public sealed class IptablesNatTests
{
    [Theory]
    [InlineData(FlowFamily.IPv4, "192.0.2.1/32", "198.51.100.2:7000")]
    [InlineData(FlowFamily.IPv6, "2001:db8:1::1/128", "[2001:db8:2::2]:7000")]
    public void A_flow_behind_dnat_and_masquerade_has_the_steps_of_both_directions(FlowFamily family, string front, string server)
    {
        string dnat = $"-d {front} -p udp -m udp --dport 6000:6001 -j DNAT --to-destination {server}";
        using TracedNetwork network = Iptables.Trace(family, $"""
            *nat
            -A PREROUTING {dnat}
            -A POSTROUTING -o outside -j MASQUERADE
            COMMIT
            *filter
            :FORWARD DROP
            -A FORWARD -m conntrack --ctstate ESTABLISHED -j ACCEPT
            -A FORWARD -p udp -m conntrack --ctorigdstport 6001 -j DROP
            -A FORWARD -p udp -m udp --dport 7000 -j ACCEPT
            COMMIT
            """);
        using EchoServer? echo = EchoServer.Start(network.Server, Udp, TracedNetwork.ServerAt(family, 7000).Address, 7000);

        TestClient.Exchange(network.Client, Udp, TracedNetwork.ClientAt(family, 40000), TracedNetwork.FirewallAt(family, 6000));
        ExpectOnly(network, $"""
            Accepted: filter FORWARD #3: -p udp -m udp --dport 7000 -j ACCEPT
            1 nat PREROUTING Rule 1 accept: {dnat}
            1 filter FORWARD Rule 3 accept: -p udp -m udp --dport 7000 -j ACCEPT
            1 nat POSTROUTING Rule 1 accept: -o outside -j MASQUERADE
            1 filter FORWARD Rule 1 accept: -m conntrack --ctstate ESTABLISHED -j ACCEPT
            """);

        // Connection tracking tells nothing of this one: it is known by the header that the client gave it.
        TestClient.Send(network.Client, Udp, TracedNetwork.ClientAt(family, 40001), TracedNetwork.FirewallAt(family, 6001));
        network.Expect(40001, $"""
            Dropped: filter FORWARD #2: -p udp -m conntrack --ctorigdstport 6001 -j DROP
            1 nat PREROUTING Rule 1 accept: {dnat}
            1 filter FORWARD Rule 2 drop: -p udp -m conntrack --ctorigdstport 6001 -j DROP
            """);
        Flow dropped = network.Live.Flows.Single(flow => flow.SrcPort == 40001);
        Assert.Equal(TracedNetwork.FirewallAt(family, 6001).ToString(), new IPEndPoint(dropped.DstAddress, dropped.DstPort!.Value).ToString());
        Assert.False(dropped.Confirmed);
        Assert.Equal(2, network.Live.Flows.Count(flow => flow.Protocol == Udp));
    }

    [Theory]
    [InlineData(FlowFamily.IPv4, "198.51.100.1:50000")]
    [InlineData(FlowFamily.IPv6, "[2001:db8:2::1]:50000")]
    public void A_tcp_connection_behind_snat_has_the_steps_of_both_directions(FlowFamily family, string source)
    {
        using TracedNetwork network = Iptables.Trace(family, $"""
            *nat
            -A POSTROUTING -p tcp -j SNAT --to-source {source}
            COMMIT
            *filter
            :FORWARD DROP
            -A FORWARD -i inside -j ACCEPT
            -A FORWARD -m conntrack --ctdir REPLY -j ACCEPT
            COMMIT
            """, TraceMode.Everything);

        network.Exchange(Tcp, family, 40000, 7000);
        TraceText.Expect(network.Live, flow => flow.Protocol == Tcp, $"""
            Accepted: filter FORWARD #1: -i inside -j ACCEPT
            nat PREROUTING Policy 1 accept
            filter FORWARD Rule 1 accept: -i inside -j ACCEPT
            nat POSTROUTING Rule 1 accept: -p tcp -j SNAT --to-source {source}
            filter FORWARD Rule 2 accept: -m conntrack --ctdir REPLY -j ACCEPT
            """, counts: false);
    }

    [Theory]
    [InlineData(FlowFamily.IPv4)]
    [InlineData(FlowFamily.IPv6)]
    public void A_redirected_flow_shows_that_it_comes_in(FlowFamily family)
    {
        using TracedNetwork network = Iptables.Trace(family, $"""
            *nat
            -A PREROUTING -p udp -m udp --dport 6000 -j REDIRECT --to-ports 7000
            COMMIT
            *filter
            :INPUT DROP
            -A INPUT -p udp -m udp --dport 7000 -j ACCEPT
            -A INPUT -p {Iptables.IcmpName(family)} -j ACCEPT
            COMMIT
            """);
        using EchoServer? echo = EchoServer.Start(network.Firewall, Udp, TracedNetwork.FirewallAt(family, 7000).Address, 7000);

        TestClient.Exchange(network.Client, Udp, TracedNetwork.ClientAt(family, 40000), TracedNetwork.ServerAt(family, 6000));
        ExpectOnly(network, """
            Accepted: filter INPUT #1: -p udp -m udp --dport 7000 -j ACCEPT
            1 nat PREROUTING Rule 1 accept: -p udp -m udp --dport 6000 -j REDIRECT --to-ports 7000
            1 filter INPUT Rule 1 accept: -p udp -m udp --dport 7000 -j ACCEPT
            1 nat INPUT Policy 1 accept
            1 filter OUTPUT Policy 1 accept
            """);
    }

    [Theory]
    [InlineData(FlowFamily.IPv4)]
    [InlineData(FlowFamily.IPv6)]
    public void What_the_host_itself_sends_behind_dnat_is_one_flow(FlowFamily family)
    {
        IPEndPoint server = TracedNetwork.ServerAt(family, 7000);
        using TracedNetwork network = Iptables.Trace(family, $"""
            *nat
            -A OUTPUT -p udp -m udp --dport 6000 -j DNAT --to-destination {server}
            COMMIT
            *filter
            :OUTPUT DROP
            -A OUTPUT -p udp -m udp --dport 7000 -j ACCEPT
            -A OUTPUT -p {Iptables.IcmpName(family)} -j ACCEPT
            COMMIT
            """);
        using EchoServer? echo = EchoServer.Start(network.Server, Udp, server.Address, 7000);

        IPAddress source = TestNetwork.ServerSide.Firewall(family);
        TestClient.Exchange(network.Firewall, Udp, new IPEndPoint(source, 40000), new IPEndPoint(TestNetwork.ClientSide.Host(family), 6000));
        ExpectOnly(network, $"""
            Accepted: filter OUTPUT #1: -p udp -m udp --dport 7000 -j ACCEPT
            1 nat OUTPUT Rule 1 accept: -p udp -m udp --dport 6000 -j DNAT --to-destination {server}
            1 filter OUTPUT Rule 1 accept: -p udp -m udp --dport 7000 -j ACCEPT
            1 nat POSTROUTING Policy 1 accept
            1 filter INPUT Policy 1 accept
            """);
    }

    [Theory]
    [InlineData(FlowFamily.IPv4)]
    [InlineData(FlowFamily.IPv6)]
    public void An_echo_behind_masquerade_is_one_flow(FlowFamily family)
    {
        FlowProtocol icmp = family == FlowFamily.IPv4 ? Icmp : IcmpV6;
        string name = Iptables.IcmpName(family);
        using TracedNetwork network = Iptables.Trace(family, $"""
            *nat
            -A POSTROUTING -o outside -j MASQUERADE
            COMMIT
            *filter
            :FORWARD DROP
            -A FORWARD -p {name} -j ACCEPT
            COMMIT
            """);

        network.Exchange(icmp, family, 77, 0);
        TraceText.Expect(network.Live, flow => flow.IcmpId == 77, $"""
            Accepted: filter FORWARD #1: -p {name} -j ACCEPT
            1 nat PREROUTING Policy 1 accept
            2 filter FORWARD Rule 1 accept: -p {name} -j ACCEPT
            1 nat POSTROUTING Rule 1 accept: -o outside -j MASQUERADE
            """);
    }

    [Theory]
    [InlineData(FlowFamily.IPv4)]
    [InlineData(FlowFamily.IPv6)]
    public void A_flow_that_is_exempted_from_connection_tracking_appears_with_its_rules(FlowFamily family)
    {
        using TracedNetwork network = Iptables.Trace(family, """
            *raw
            -A PREROUTING -p udp -m udp --dport 7000:7001 -j CT --notrack
            -A PREROUTING -p udp -m udp --sport 7000 -j CT --notrack
            COMMIT
            *filter
            -A FORWARD -p udp -m udp --dport 7001 -j DROP
            -A FORWARD -m conntrack --ctstate UNTRACKED -j ACCEPT
            COMMIT
            """);

        network.Exchange(Udp, family, 40000, 7000);
        ExpectOnly(network, """
            Accepted: filter FORWARD #2: -m conntrack --ctstate UNTRACKED -j ACCEPT
            1 raw PREROUTING Rule 1 continue: -p udp -m udp --dport 7000:7001 -j CT --notrack
            2 raw PREROUTING Policy 3 accept
            2 filter FORWARD Rule 2 accept: -m conntrack --ctstate UNTRACKED -j ACCEPT
            1 raw PREROUTING Rule 2 continue: -p udp -m udp --sport 7000 -j CT --notrack
            """);

        network.Send(Udp, family, 40001, 7001);
        network.Expect(40001, """
            Dropped: filter FORWARD #1: -p udp -m udp --dport 7001 -j DROP
            1 raw PREROUTING Rule 1 continue: -p udp -m udp --dport 7000:7001 -j CT --notrack
            1 raw PREROUTING Policy 3 accept
            1 filter FORWARD Rule 1 drop: -p udp -m udp --dport 7001 -j DROP
            """);
    }

    // Of all UDP flows: NAT must not make two of one.
    private static void ExpectOnly(TracedNetwork network, string expected) =>
        TraceText.Expect(network.Live, flow => flow.Protocol == Udp, expected);
}
