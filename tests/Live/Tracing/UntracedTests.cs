using System.Globalization;
using Conntracker.Tests.Live.Support;
using Xunit;
using static Conntracker.FlowProtocol;

namespace Conntracker.Tests.Live.Tracing;

/// <summary>Flows for which the kernel's sets have no room are counted, and the user is told.</summary>
public sealed class UntracedTests
{
    [Fact]
    public void Packets_that_find_the_sets_full_are_counted_and_told_while_it_runs_and_at_the_end()
    {
        using TestNetwork network = new();
        network.Firewall.LoadRules("table inet firewall { chain forward { type filter hook forward priority filter; policy drop; }\n}");
        using LiveCapture live = LiveCapture.Start(
            new CaptureOptions { NetworkNamespace = network.Firewall.Name, Trace = TraceMode.Flows, Protocols = [Udp], TraceCapacity = 4 });

        for (int i = 0; i < 10; i++)
        {
            TestClient.Send(network.Client, Udp, TracedNetwork.ClientAt(FlowFamily.IPv4, 40000 + i), TracedNetwork.ServerAt(FlowFamily.IPv4, 7000));
        }

        Eventually.True("a notice", () => Untraced(live, "packets were not traced so far: the kernel's sets are limited to 4 flows of a kind") >= 6);
        Assert.Equal(4, live.Flows.Count(flow => flow.Verdict == FlowVerdict.Dropped));

        TestClient.Send(network.Client, Udp, TracedNetwork.ClientAt(FlowFamily.IPv4, 40010), TracedNetwork.ServerAt(FlowFamily.IPv4, 7000));
        live.Stop();
        Assert.InRange(Untraced(live, "packets were not traced: the kernel's sets are limited to 4 flows of a kind"), 7, 1000);
        Assert.Equal(2, live.Notices.Count);
    }

    [Fact]
    public void A_capture_whose_sets_have_room_says_nothing()
    {
        using TracedNetwork network = new("table inet firewall { chain forward { type filter hook forward priority filter; policy accept; }\n}");
        network.Exchange(Udp, FlowFamily.IPv6, 40000, 7000);
        network.Live.Stop();
        Assert.Empty(network.Live.Notices);
    }

    // The host's own packets, of IPv6's neighbours, may be among them. Zero when nothing is said of them.
    private static int Untraced(LiveCapture live, string text) =>
        live.Notices.Where(each => each.Contains(text, StringComparison.Ordinal))
            .Select(each => int.Parse(each.Split(' ')[0], CultureInfo.InvariantCulture)).SingleOrDefault();
}
