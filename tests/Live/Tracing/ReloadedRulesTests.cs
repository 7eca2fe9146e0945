using Conntracker.Tests.Live.Support;
using Xunit;
using static Conntracker.FlowProtocol;

namespace Conntracker.Tests.Live.Tracing;

/// <summary>Each reload of a ruleset makes tables whose rules have the handles of others: no packet is shown with a rule that it did not meet.</summary>
public sealed class ReloadedRulesTests
{
    private const int FirstPort = 7000;
    private const int FirstClientPort = 40000;

    [Fact]
    public void A_packet_between_two_reloads_has_the_rule_that_it_met_or_none()
    {
        const int Reloads = 8;
        using TracedNetwork network = new(Ruleset(0), TraceMode.Everything);
        for (int i = 1; i <= Reloads; i++)
        {
            network.Firewall.LoadRules($"flush ruleset\n{Ruleset(i)}");
            network.Send(Udp, FlowFamily.IPv4, FirstClientPort + i, FirstPort + i);
            Eventually.True($"the packet after reload {i}", () => network.Live.Flows.Any(flow => flow.SrcPort == FirstClientPort + i));
        }

        Eventually.True("the text of the last ruleset", () => RuleSteps(network, Reloads).All(step => step.Rule is not null));
        network.Live.Stop();
        for (int i = 1; i <= Reloads; i++)
        {
            TraceStep step = Assert.Single(RuleSteps(network, i));
            bool isRight = step.Rule is null ? step.Position is null : step.Rule == $"udp dport {FirstPort + i} accept";
            Assert.True(isRight, $"After reload {i}: {TraceText.Of(step)}");
        }
    }

    private static TraceStep[] RuleSteps(TracedNetwork network, int reload) =>
        [.. network.Live.Flows.Single(flow => flow.SrcPort == FirstClientPort + reload).Trace.Where(step => step.Type == TraceStepType.Rule)];

    // The rules of the second chain take long to read, so that several reloads lie between two readings.
    private static string Ruleset(int number) =>
        $$"""
        table inet firewall {
          chain forward { type filter hook forward priority filter; policy accept; udp dport {{FirstPort + number}} accept; }
          chain many {
        {{string.Concat(Enumerable.Range(1, 3000).Select(port => $"    tcp dport {port} accept\n"))}}  }
        }
        """;
}
