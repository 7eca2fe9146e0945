using Conntracker.Tests.Live.Support;
using Xunit;
using static Conntracker.FlowProtocol;

namespace Conntracker.Tests.Live.Tracing;

/// <summary>A step shows the rule as it was when the packet passed, whatever becomes of the rules.</summary>
public sealed class ChangingRulesTests
{
    [Fact]
    public void Rules_that_come_and_go_have_the_text_and_the_position_of_their_time()
    {
        using TracedNetwork network = new("""
            table inet firewall {
              chain forward { type filter hook forward priority filter; policy accept; udp dport 7000 accept comment "one"; udp dport 7009 drop; }
            }
            """);
        Check(network, 40000, 7000, """
            Accepted: inet firewall forward #1: udp dport 7000 accept comment "one"
            1 inet firewall forward Rule 1 accept: udp dport 7000 accept # one
            1 inet firewall forward Policy 3 accept
            """);

        // Inserted before: the same rule has another position.
        network.Firewall.LoadRules("insert rule inet firewall forward udp dport 7001 accept");
        Check(network, 40001, 7000, """
            Accepted: inet firewall forward #2: udp dport 7000 accept comment "one"
            1 inet firewall forward Rule 2 accept: udp dport 7000 accept # one
            1 inet firewall forward Policy 4 accept
            """);
        Check(network, 40002, 7001, """
            Accepted: inet firewall forward #1: udp dport 7001 accept
            1 inet firewall forward Rule 1 accept: udp dport 7001 accept
            1 inet firewall forward Policy 4 accept
            """);

        network.Firewall.LoadRules($"replace rule inet firewall forward handle {HandleOf(network, "udp dport 7001")} udp dport 7001 counter drop");
        Check(network, 40003, 7001, """
            Dropped: inet firewall forward #1: udp dport 7001 counter drop
            1 inet firewall forward Rule 1 drop: udp dport 7001 counter drop
            """);

        network.Firewall.LoadRules($"delete rule inet firewall forward handle {HandleOf(network, "udp dport 7000")}");
        Check(network, 40004, 7000, """
            Accepted: inet firewall forward policy accept
            2 inet firewall forward Policy 3 accept
            """);

        network.Firewall.LoadRules("flush chain inet firewall forward");
        Check(network, 40005, 7001, """
            Accepted: inet firewall forward policy accept
            2 inet firewall forward Policy 1 accept
            """);

        // A new table of the same name counts its handles from the beginning.
        network.Firewall.LoadRules("""
            delete table inet firewall
            table inet firewall {
              chain forward { type filter hook forward priority filter; policy drop; udp sport 7000 accept; udp dport 7000 accept comment "another"; }
            }
            """);
        Check(network, 40006, 7000, """
            Accepted: inet firewall forward #2: udp dport 7000 accept comment "another"
            1 inet firewall forward Rule 2 accept: udp dport 7000 accept # another
            1 inet firewall forward Rule 1 accept: udp sport 7000 accept
            """);

        // What was told before is told still.
        network.Expect(40000, """
            Accepted: inet firewall forward #1: udp dport 7000 accept comment "one"
            1 inet firewall forward Rule 1 accept: udp dport 7000 accept # one
            1 inet firewall forward Policy 3 accept
            """);
        network.Expect(40003, """
            Dropped: inet firewall forward #1: udp dport 7001 counter drop
            1 inet firewall forward Rule 1 drop: udp dport 7001 counter drop
            """);

        network.Firewall.LoadRules("delete table inet firewall");
        network.Exchange(Udp, FlowFamily.IPv4, 40007, 7000);
        network.Expect(40007, "Accepted: nothing");
    }

    [Fact]
    public void No_step_is_without_its_rule_while_rules_change_under_steady_traffic()
    {
        const string Rules = """
            table inet firewall {
              chain forward { type filter hook forward priority filter; policy accept; jump services; udp dport 7000 accept; }
              chain services { udp dport 7001 accept; }
            }

            """;
        const int Rounds = 12;
        using TracedNetwork network = new(Rules, TraceMode.Everything);
        using CancellationTokenSource over = new();
        Thread traffic = new(() =>
        {
            for (int i = 0; !over.IsCancellationRequested; i++)
            {
                TestClient.Send(network.Client, Udp,
                    TracedNetwork.ClientAt(FlowFamily.IPv4, 41000 + (i % 2000)), TracedNetwork.ServerAt(FlowFamily.IPv4, 7000));
            }
        });
        traffic.Start();
        try
        {
            for (int round = 0; round < Rounds; round++)
            {
                string text = $"udp dport 7000-{7100 + round} counter accept";
                network.Firewall.LoadRules((round % 4) switch
                {
                    0 => $"insert rule inet firewall services {text}",
                    1 => $"flush chain inet firewall services\nadd rule inet firewall services {text}",
                    2 => $"delete table inet firewall\n{Rules}insert rule inet firewall services {text}",
                    _ => $"replace rule inet firewall services handle {HandleOf(network, "udp dport 7000-")} {text}",
                });
                Eventually.True($"a flow that passed '{text}'", () => network.Live.Flows.Any(flow => flow.Trace.Any(step => step.Rule == text)));
            }
        }
        finally
        {
            over.Cancel();
            traffic.Join();
        }

        // One packet more, so that it is certain that nothing is under way.
        network.Send(Udp, FlowFamily.IPv4, 40000, 7000);
        Eventually.True("the last packet", () => network.Live.Flows.Any(flow => flow.SrcPort == 40000 && flow.Verdict == FlowVerdict.Accepted));
        network.Live.Stop();
        TraceStep[] steps = [.. network.Live.Flows.SelectMany(flow => flow.Trace)];
        Assert.All(steps, step => Assert.False(step.Position is null || (step.Type == TraceStepType.Rule && step.Rule is null), TraceText.Of(step)));
        Assert.Equal(0, network.Live.Capture.GetCounters().NftablesTracesLost);
    }

    [Fact]
    public void A_flow_that_was_dropped_stays_so_and_shows_what_let_it_pass_later()
    {
        using TracedNetwork network = new("""
            table inet firewall {
              chain forward { type filter hook forward priority filter; policy accept; udp dport 7000 drop; }
            }
            """);
        network.Send(Udp, FlowFamily.IPv4, 40000, 7000);
        network.Expect(40000, """
            Dropped: inet firewall forward #1: udp dport 7000 drop
            1 inet firewall forward Rule 1 drop: udp dport 7000 drop
            """);

        network.Firewall.LoadRules("flush chain inet firewall forward\nadd rule inet firewall forward udp dport 7000 accept");
        network.Exchange(Udp, FlowFamily.IPv4, 40000, 7000);
        network.Expect(40000, """
            Dropped: inet firewall forward #1: udp dport 7000 drop
            1 inet firewall forward Rule 1 drop: udp dport 7000 drop
            1 inet firewall forward Rule 1 accept: udp dport 7000 accept
            1 inet firewall forward Policy 2 accept
            """);
        Flow passed = network.Live.Flows.Single(flow => flow.SrcPort == 40000);
        Assert.True(passed.Confirmed);
        Assert.Equal(FlowState.Replied, passed.State);
    }

    [Fact]
    public void A_flow_that_was_accepted_stays_so_and_shows_what_dropped_it_later()
    {
        using TracedNetwork network = new("""
            table inet firewall {
              chain forward { type filter hook forward priority filter; policy accept; udp dport 7000 accept; }
            }
            """);
        Check(network, 40000, 7000, """
            Accepted: inet firewall forward #1: udp dport 7000 accept
            1 inet firewall forward Rule 1 accept: udp dport 7000 accept
            1 inet firewall forward Policy 2 accept
            """);

        network.Firewall.LoadRules("insert rule inet firewall forward udp dport 7000 drop comment \"from now on\"");
        network.Send(Udp, FlowFamily.IPv4, 40000, 7000);
        network.Expect(40000, """
            Accepted: inet firewall forward #1: udp dport 7000 accept
            1 inet firewall forward Rule 1 accept: udp dport 7000 accept
            1 inet firewall forward Policy 2 accept
            1 inet firewall forward Rule 1 drop: udp dport 7000 drop # from now on
            """);
    }

    // A flow of one packet and, unless it is dropped, its answer.
    private static void Check(TracedNetwork network, int from, int port, string expected)
    {
        if (expected.StartsWith("Dropped", StringComparison.Ordinal))
        {
            network.Send(Udp, FlowFamily.IPv4, from, port);
        }
        else
        {
            network.Exchange(Udp, FlowFamily.IPv4, from, port);
        }

        network.Expect(from, expected);
    }

    private static string HandleOf(TracedNetwork network, string rule)
    {
        string line = network.Firewall.Run("nft", "-a", "list", "table", "inet", "firewall")
            .Split('\n').First(each => each.Contains(rule, StringComparison.Ordinal));
        return line[(line.LastIndexOf(' ') + 1)..];
    }
}
