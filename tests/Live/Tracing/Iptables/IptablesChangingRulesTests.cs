using Conntracker.Tests.Live.Support;
using Xunit;
using static Conntracker.FlowProtocol;

namespace Conntracker.Tests.Live.Tracing;

/// <summary>iptables-legacy names rules by nothing but their position, and tells no change: a step shows the rule of its time all the same.</summary>
public sealed class IptablesChangingRulesTests
{
    [Theory]
    [InlineData(FlowFamily.IPv4)]
    [InlineData(FlowFamily.IPv6)]
    public void Rules_that_come_and_go_have_the_text_and_the_position_of_their_time(FlowFamily family)
    {
        using TracedNetwork network = Iptables.Trace(family, """
            *filter
            -A FORWARD -p udp -m udp --dport 7000 -m comment --comment one -j ACCEPT
            -A FORWARD -p udp -m udp --dport 7009 -j DROP
            COMMIT
            """, TraceMode.Flows, Udp);
        const string First = """
            Accepted: filter FORWARD #1: -p udp -m udp --dport 7000 -m comment --comment one -j ACCEPT
            1 filter FORWARD Rule 1 accept: -p udp -m udp --dport 7000 -m comment --comment one -j ACCEPT # one
            1 filter FORWARD Policy 3 accept
            """;
        Check(40000, 7000, First);

        // Inserted before: the same rule has another position.
        Change("-I FORWARD -p udp -m udp --dport 7001 -j ACCEPT");
        Check(40001, 7000, """
            Accepted: filter FORWARD #2: -p udp -m udp --dport 7000 -m comment --comment one -j ACCEPT
            1 filter FORWARD Rule 2 accept: -p udp -m udp --dport 7000 -m comment --comment one -j ACCEPT # one
            1 filter FORWARD Policy 4 accept
            """);
        Check(40002, 7001, """
            Accepted: filter FORWARD #1: -p udp -m udp --dport 7001 -j ACCEPT
            1 filter FORWARD Rule 1 accept: -p udp -m udp --dport 7001 -j ACCEPT
            1 filter FORWARD Policy 4 accept
            """);

        // The same position, another rule.
        Change("-R FORWARD 1 -p udp -m udp --dport 7001 -j DROP");
        const string Replaced = """
            Dropped: filter FORWARD #1: -p udp -m udp --dport 7001 -j DROP
            1 filter FORWARD Rule 1 drop: -p udp -m udp --dport 7001 -j DROP
            """;
        Check(40003, 7001, Replaced);

        Change("-D FORWARD -p udp -m udp --dport 7000 -m comment --comment one -j ACCEPT");
        Check(40004, 7000, """
            Accepted: filter FORWARD policy ACCEPT
            2 filter FORWARD Policy 3 accept
            """);

        Change("-F FORWARD");
        Check(40005, 7001, """
            Accepted: filter FORWARD policy ACCEPT
            2 filter FORWARD Policy 1 accept
            """);

        Change("-P FORWARD DROP");
        Check(40006, 7001, """
            Dropped: filter FORWARD policy DROP
            1 filter FORWARD Policy 1 drop
            """);

        // All of the table at once, with a chain that was not there.
        Iptables.Load(network.Firewall, family, """
            *filter
            :FORWARD ACCEPT
            :NEW -
            -A FORWARD -p udp -m udp --dport 7000 -j NEW
            -A NEW -p udp -m udp --dport 7000 -m comment --comment another -j DROP
            COMMIT
            """);
        Check(40007, 7000, """
            Dropped: filter NEW #1: -p udp -m udp --dport 7000 -m comment --comment another -j DROP
            1 filter FORWARD Rule 1 jump NEW: -p udp -m udp --dport 7000 -j NEW
            1 filter NEW Rule 1 drop: -p udp -m udp --dport 7000 -m comment --comment another -j DROP # another
            """);

        // What was told before is told still.
        network.Expect(40000, First);
        network.Expect(40003, Replaced);

        void Change(string arguments) => Iptables.Run(network.Firewall, family, arguments);

        void Check(int from, int port, string expected)
        {
            if (expected.StartsWith("Dropped", StringComparison.Ordinal))
            {
                network.Send(Udp, family, from, port);
            }
            else
            {
                network.Exchange(Udp, family, from, port);
            }

            network.Expect(from, expected);
        }
    }

    [Theory]
    [InlineData(FlowFamily.IPv4)]
    [InlineData(FlowFamily.IPv6)]
    public void A_flow_that_was_dropped_stays_so_and_shows_what_let_it_pass_later(FlowFamily family)
    {
        using TracedNetwork network = Iptables.Trace(family, """
            *filter
            -A FORWARD -p udp -m udp --dport 7000 -j DROP
            COMMIT
            """);
        network.Send(Udp, family, 40000, 7000);
        network.Expect(40000, """
            Dropped: filter FORWARD #1: -p udp -m udp --dport 7000 -j DROP
            1 filter FORWARD Rule 1 drop: -p udp -m udp --dport 7000 -j DROP
            """);

        Iptables.Run(network.Firewall, family, "-R FORWARD 1 -p udp -m udp --dport 7000 -j ACCEPT");
        network.Exchange(Udp, family, 40000, 7000);
        network.Expect(40000, """
            Dropped: filter FORWARD #1: -p udp -m udp --dport 7000 -j DROP
            1 filter FORWARD Rule 1 drop: -p udp -m udp --dport 7000 -j DROP
            1 filter FORWARD Rule 1 accept: -p udp -m udp --dport 7000 -j ACCEPT
            1 filter FORWARD Policy 2 accept
            """);
        Assert.True(network.Live.Flows.Single(flow => flow.SrcPort == 40000).Confirmed);
    }

    [Theory]
    [InlineData(FlowFamily.IPv4)]
    [InlineData(FlowFamily.IPv6)]
    public void Tables_that_are_loaded_while_a_trace_goes_on_are_traced_from_then_on(FlowFamily family)
    {
        using TracedNetwork network = new(_ => { });
        string before = Iptables.Loggers(network.Firewall);
        Assert.DoesNotContain("nfnetlink_log", before, StringComparison.Ordinal);
        network.Exchange(Udp, family, 40000, 7000);
        network.Expect(40000, "Accepted: nothing");
        Assert.Equal(before, Iptables.Loggers(network.Firewall));

        Iptables.Load(network.Firewall, family, "*filter\n-A FORWARD -p udp -m udp --dport 7001 -j DROP\nCOMMIT");
        Eventually.Equal(() => "nfnetlink_log nfnetlink_log", () => Iptables.Loggers(network.Firewall));
        network.Send(Udp, family, 40001, 7001);
        network.Expect(40001, """
            Dropped: filter FORWARD #1: -p udp -m udp --dport 7001 -j DROP
            1 filter FORWARD Rule 1 drop: -p udp -m udp --dport 7001 -j DROP
            """);

        // One table more, and the other family.
        FlowFamily other = family == FlowFamily.IPv4 ? FlowFamily.IPv6 : FlowFamily.IPv4;
        Iptables.Load(network.Firewall, family, "*raw\n-A PREROUTING -p udp -m udp --dport 7002 -j DROP\nCOMMIT");
        Iptables.Load(network.Firewall, other, "*mangle\n-A PREROUTING -p udp -m udp --dport 7002 -j MARK --set-mark 7\nCOMMIT");
        network.Send(Udp, family, 40002, 7002);
        network.Expect(40002, """
            Dropped: raw PREROUTING #1: -p udp -m udp --dport 7002 -j DROP
            1 raw PREROUTING Rule 1 drop: -p udp -m udp --dport 7002 -j DROP
            """);
        network.Exchange(Udp, other, 40003, 7002);
        network.Expect(40003, """
            Accepted: mangle FORWARD policy ACCEPT
            1 mangle PREROUTING Rule 1 continue: -p udp -m udp --dport 7002 -j MARK --set-xmark 0x7/0xffffffff
            2 mangle PREROUTING Policy 2 accept
            2 mangle FORWARD Policy 1 accept
            2 mangle POSTROUTING Policy 1 accept
            """);

        network.Live.Stop();
        Assert.Equal(before, Iptables.Loggers(network.Firewall));
    }
}
