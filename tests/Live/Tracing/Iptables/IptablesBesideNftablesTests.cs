using Conntracker.Tests.Live.Support;
using Xunit;
using static Conntracker.FlowProtocol;

namespace Conntracker.Tests.Live.Tracing;

/// <summary>On a host that filters with nftables and with iptables, whichever dropped the packet is blamed, and both show.</summary>
public sealed class IptablesBesideNftablesTests
{
    private const string Nftables = """
        table inet early {
          chain forward { type filter hook forward priority filter - 10; policy accept; udp dport 7000-7001 accept; udp dport 7002 drop; }
        }
        table inet late {
          chain forward { type filter hook forward priority filter + 10; policy accept; udp dport 7000 accept; udp dport 7003 drop; }
        }
        """;

    private const string Legacy = """
        *raw
        COMMIT
        *filter
        -A FORWARD -p udp -m udp --dport 7000 -j ACCEPT
        -A FORWARD -p udp -m udp --dport 7001:7002 -j DROP
        -A FORWARD -p udp -m udp --dport 7003 -j ACCEPT
        COMMIT
        """;

    [Theory]
    [InlineData(FlowFamily.IPv4, TraceMode.Flows)]
    [InlineData(FlowFamily.IPv6, TraceMode.Flows)]
    [InlineData(FlowFamily.IPv4, TraceMode.Everything)]
    [InlineData(FlowFamily.IPv6, TraceMode.Everything)]
    public void The_engine_that_drops_decides_and_the_steps_of_both_are_told(FlowFamily family, TraceMode mode)
    {
        using TracedNetwork network = new(
            firewall =>
            {
                firewall.LoadRules(Nftables);
                Iptables.Load(firewall, family, Legacy);
            },
            mode,
            duration: null,
            Udp);

        // Accepted by one, dropped by the other.
        network.Send(Udp, family, 40001, 7001);
        TraceText.ExpectInAnyOrder(network.Live, 40001, """
            Dropped: filter FORWARD #2: -p udp -m udp --dport 7001:7002 -j DROP
            1 inet early forward Rule 1 accept: udp dport 7000-7001 accept
            1 raw PREROUTING Policy 1 accept
            1 filter FORWARD Rule 2 drop: -p udp -m udp --dport 7001:7002 -j DROP
            """);

        network.Send(Udp, family, 40003, 7003);
        TraceText.ExpectInAnyOrder(network.Live, 40003, """
            Dropped: inet late forward #2: udp dport 7003 drop
            1 raw PREROUTING Policy 1 accept
            1 inet early forward Policy 3 accept
            1 filter FORWARD Rule 3 accept: -p udp -m udp --dport 7003 -j ACCEPT
            1 inet late forward Rule 2 drop: udp dport 7003 drop
            """);

        // What is dropped does not reach the other.
        network.Send(Udp, family, 40002, 7002);
        TraceText.ExpectInAnyOrder(network.Live, 40002, """
            Dropped: inet early forward #2: udp dport 7002 drop
            1 raw PREROUTING Policy 1 accept
            1 inet early forward Rule 2 drop: udp dport 7002 drop
            """);

        // Accepted by all: the last one that says so.
        network.Exchange(Udp, family, 40000, 7000);
        TraceText.ExpectInAnyOrder(network.Live, 40000, """
            Accepted: inet late forward #1: udp dport 7000 accept
            2 raw PREROUTING Policy 1 accept
            1 inet early forward Rule 1 accept: udp dport 7000-7001 accept
            1 filter FORWARD Rule 1 accept: -p udp -m udp --dport 7000 -j ACCEPT
            1 inet late forward Rule 1 accept: udp dport 7000 accept
            1 inet early forward Policy 3 accept
            1 filter FORWARD Policy 4 accept
            1 inet late forward Policy 3 accept
            """);
    }

    [Theory]
    [InlineData(FlowFamily.IPv4, "iptables-nft", "ip")]
    [InlineData(FlowFamily.IPv6, "ip6tables-nft", "ip6")]
    public void Rules_of_iptables_nft_are_told_as_rules_of_nftables(FlowFamily family, string iptables, string of)
    {
        using TracedNetwork network = new(firewall =>
        {
            foreach (string rule in (string[])
            [
                "-N SERVICES",
                "-P FORWARD DROP",
                "-A FORWARD -m conntrack --ctstate ESTABLISHED -j ACCEPT",
                "-A FORWARD -p udp --dport 7000 -j ACCEPT",
                "-A FORWARD -p udp -j SERVICES",
                "-A SERVICES -p udp --dport 7001 -j DROP",
                "-A SERVICES -p udp --dport 7002 -j REJECT",
                "-A SERVICES -p udp --dport 7003 -j RETURN",
            ])
            {
                firewall.Run(iptables, rule.Split(' '));
            }
        });

        network.Exchange(Udp, family, 40000, 7000);
        network.Expect(40000, $"""
            Accepted: {of} filter FORWARD #2: udp dport 7000 counter accept
            1 {of} filter FORWARD Rule 2 accept: udp dport 7000 counter accept
            1 {of} filter FORWARD Rule 1 accept: ct state established counter accept
            """);

        network.Send(Udp, family, 40001, 7001);
        network.Expect(40001, $"""
            Dropped: {of} filter SERVICES #1: udp dport 7001 counter drop
            1 {of} filter FORWARD Rule 3 jump SERVICES: meta l4proto udp counter jump SERVICES
            1 {of} filter SERVICES Rule 1 drop: udp dport 7001 counter drop
            """);

        network.Send(Udp, family, 40002, 7002);
        network.Expect(40002, $"""
            Rejected: {of} filter SERVICES #2: udp dport 7002 counter reject
            1 {of} filter FORWARD Rule 3 jump SERVICES: meta l4proto udp counter jump SERVICES
            1 {of} filter SERVICES Rule 2 reject: udp dport 7002 counter reject
            """);

        network.Send(Udp, family, 40003, 7003);
        network.Expect(40003, $"""
            Dropped: {of} filter FORWARD policy drop
            1 {of} filter FORWARD Rule 3 jump SERVICES: meta l4proto udp counter jump SERVICES
            1 {of} filter SERVICES Rule 3 return: udp dport 7003 counter return
            1 {of} filter FORWARD Policy 4 drop
            """);
    }
}
