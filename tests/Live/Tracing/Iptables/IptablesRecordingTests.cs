using Conntracker.Tests.Live.Support;
using Xunit;
using static Conntracker.FlowProtocol;

namespace Conntracker.Tests.Live.Tracing;

/// <summary>A recording holds the lines of iptables-legacy and the rules that they name.</summary>
public sealed class IptablesRecordingTests
{
    [Theory]
    [InlineData(FlowFamily.IPv4)]
    [InlineData(FlowFamily.IPv6)]
    public void A_recording_replays_to_the_same_verdicts_rules_and_steps(FlowFamily family)
    {
        using CommandLine folder = new();
        string path = folder.PathOf("capture.rec");
        using TestNetwork network = new();
        Iptables.Load(network.Firewall, family, """
            *nat
            -A POSTROUTING -o outside -j MASQUERADE
            COMMIT
            *filter
            -A FORWARD -p udp -m udp --dport 7001 -j DROP
            -A FORWARD -m conntrack --ctstate ESTABLISHED -j ACCEPT
            -A FORWARD -p udp -m udp --dport 7000 -j ACCEPT
            COMMIT
            """);
        using LiveCapture live = LiveCapture.Start(new CaptureOptions { NetworkNamespace = network.Firewall.Name, Trace = TraceMode.Flows, RecordPath = path });
        using (EchoServer? echo = EchoServer.Start(network.Server, Udp, TracedNetwork.ServerAt(family, 7000).Address, 7000))
        {
            TestClient.Exchange(network.Client, Udp, TracedNetwork.ClientAt(family, 40000), TracedNetwork.ServerAt(family, 7000));
        }

        const string Accepted = """
            Accepted: filter FORWARD #3: -p udp -m udp --dport 7000 -j ACCEPT
            1 nat PREROUTING Policy 1 accept
            1 filter FORWARD Rule 3 accept: -p udp -m udp --dport 7000 -j ACCEPT
            1 nat POSTROUTING Rule 1 accept: -o outside -j MASQUERADE
            1 filter FORWARD Rule 2 accept: -m conntrack --ctstate ESTABLISHED -j ACCEPT
            """;
        TraceText.Expect(live, 40000, Accepted);

        // The same position has another rule from here on.
        Iptables.Run(network.Firewall, family, "-I FORWARD -p udp -m udp --dport 7002 -j REJECT");
        TestClient.Send(network.Client, Udp, TracedNetwork.ClientAt(family, 40001), TracedNetwork.ServerAt(family, 7001));
        const string Dropped = """
            Dropped: filter FORWARD #2: -p udp -m udp --dport 7001 -j DROP
            1 nat PREROUTING Policy 1 accept
            1 filter FORWARD Rule 2 drop: -p udp -m udp --dport 7001 -j DROP
            """;
        TraceText.Expect(live, 40001, Dropped);
        live.Stop();

        using LiveCapture replay = LiveCapture.Start(new CaptureOptions { ReplayPath = path });
        Assert.True(replay.Capture.Wait(TimeSpan.FromSeconds(20)));
        Assert.Null(replay.Capture.Error);
        TraceText.Expect(replay, 40000, Accepted);
        TraceText.Expect(replay, 40001, Dropped);
        Assert.Equal(live.Capture.GetCounters(), replay.Capture.GetCounters());
        Assert.Equal(Describe(live), Describe(replay));
    }

    // A flow that was never confirmed begins with the report of either engine that is taken first: in a capture that is a matter of milliseconds.
    private static string Describe(LiveCapture live) => string.Join('\n', live.Flows
        .Select(flow => $"{flow.SrcAddress}:{flow.SrcPort} {flow.Protocol} {flow.Confirmed} {(flow.Confirmed ? $"{flow.FirstSeen:O}" : "")} " +
            $"{TraceText.Of(flow)}").Order(StringComparer.Ordinal));
}
