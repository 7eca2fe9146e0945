using Conntracker.Tests.Live.Support;
using Xunit;
using static Conntracker.FlowProtocol;

namespace Conntracker.Tests.Live.Tracing;

/// <summary>A table of the user's that is named as Conntracker's own is the user's: what it drops is dropped.</summary>
public sealed class LookalikeTableTests
{
    private const string Rules = """
        table inet conntracker_9 {
          chain forward { type filter hook forward priority filter; policy accept; udp dport 7001 drop; }
        }
        """;

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_users_table_with_a_name_like_ours_is_traced_whenever_it_was_made(bool isBefore)
    {
        using TestNetwork network = new();
        if (isBefore)
        {
            network.Firewall.LoadRules(Rules);
        }

        using LiveCapture live = LiveCapture.Start(
            new CaptureOptions { NetworkNamespace = network.Firewall.Name, Trace = TraceMode.Everything, Protocols = [Udp] });
        using LiveCapture other =
            LiveCapture.Start(new CaptureOptions { NetworkNamespace = network.Firewall.Name, Trace = TraceMode.Everything, Protocols = [Udp] });
        if (!isBefore)
        {
            network.Firewall.LoadRules(Rules);
            Eventually.True("the table's steps", () =>
            {
                TestClient.Send(network.Client, Udp, TracedNetwork.ClientAt(FlowFamily.IPv4, 40001), TracedNetwork.ServerAt(FlowFamily.IPv4, 7001));
                return Array.TrueForAll((LiveCapture[])[live, other], each => each.Flows.Any(flow => flow.SrcPort == 40001 && flow.Trace.Count > 0));
            });
        }

        TestClient.Send(network.Client, Udp, TracedNetwork.ClientAt(FlowFamily.IPv4, 40000), TracedNetwork.ServerAt(FlowFamily.IPv4, 7001));
        foreach (LiveCapture each in (LiveCapture[])[live, other])
        {
            TraceText.Expect(each, 40000, """
                Dropped: inet conntracker_9 forward #1: udp dport 7001 drop
                1 inet conntracker_9 forward Rule 1 drop: udp dport 7001 drop
                """);
        }
    }
}
