using System.Net.Sockets;
using Conntracker.Tests.Live.Support;
using Xunit;
using static Conntracker.FlowProtocol;

namespace Conntracker.Tests.Live.Tracing;

/// <summary>Captures that trace the same packets do not see each other.</summary>
public sealed class SeveralTracesTests
{
    private const string Rules = """
        table inet firewall {
          chain prerouting { type filter hook prerouting priority filter; policy accept; }
          chain forward { type filter hook forward priority filter; policy drop; ct state established accept; udp dport 7000 accept; }
        }
        """;

    private const string Expected = """
        Accepted: inet firewall forward #2: udp dport 7000 accept
        2 inet firewall prerouting Policy 1 accept
        1 inet firewall forward Rule 2 accept: udp dport 7000 accept
        1 inet firewall forward Rule 1 accept: ct state established accept
        """;

    [Theory]
    [InlineData(TraceMode.Everything, TraceMode.Everything)]
    [InlineData(TraceMode.Flows, TraceMode.Flows)]
    [InlineData(TraceMode.Flows, TraceMode.Everything)]
    public void Neither_of_two_captures_shows_the_others_table_or_counts_a_packet_twice(TraceMode first, TraceMode second)
    {
        using TracedNetwork network = new(Rules, first, protocols: Udp);
        using LiveCapture other = LiveCapture.Start(new CaptureOptions { NetworkNamespace = network.Firewall.Name, Trace = second, Protocols = [Udp] });

        network.Exchange(Udp, FlowFamily.IPv4, 40000, 7000);
        network.Send(Udp, FlowFamily.IPv4, 40001, 7001);
        const string Dropped = """
            Dropped: inet firewall forward policy drop
            1 inet firewall prerouting Policy 1 accept
            1 inet firewall forward Policy 3 drop
            """;
        foreach (LiveCapture each in (LiveCapture[])[network.Live, other])
        {
            TraceText.Expect(each, 40000, Expected);
            TraceText.Expect(each, 40001, Dropped);
            Eventually.Equal(() => (3, 6), () => each.Capture.GetTraces().Select(trace => ((int)trace.Packets, (int)trace.Steps)).Single());
        }

        // The one that stays sees the same as before.
        network.Live.Stop();
        network.Exchange(Udp, FlowFamily.IPv4, 40002, 7000);
        TraceText.Expect(other, 40002, Expected);
        Assert.DoesNotContain(network.Live.Flows, flow => flow.SrcPort == 40002);
    }

    [Fact]
    public void Each_flow_is_traced_for_its_time_and_once()
    {
        using TracedNetwork network = new(Rules, TraceMode.Flows, TimeSpan.FromSeconds(1), Udp);
        using EchoServer? echo = EchoServer.Start(network.Server, Udp, TracedNetwork.ServerAt(FlowFamily.IPv4, 7000).Address, 7000);
        using Socket socket = TestClient.Open(network.Client, Udp,
            TracedNetwork.ClientAt(FlowFamily.IPv4, 40000), TracedNetwork.ServerAt(FlowFamily.IPv4, 7000));
        network.Expect(40000, Expected);

        Eventually.True("the end of its time in the kernel", () =>
            !network.Firewall.Run("nft", "list", "set", "inet", "conntracker", "traced4_ports").Contains("40000", StringComparison.Ordinal));
        for (int i = 0; i < 5; i++)
        {
            TestClient.Echo(socket, 10);
        }

        // A new flow is traced; what was before it is told by then.
        TestClient.Exchange(network.Client, Udp, TracedNetwork.ClientAt(FlowFamily.IPv4, 40001), TracedNetwork.ServerAt(FlowFamily.IPv4, 7000));
        network.Expect(40001, Expected);
        network.Expect(40000, Expected);
        Assert.Equal(["each flow, for 1 s: 4 packets, 8 steps"], network.Live.Capture.GetTraces()
            .Select(trace => $"{trace.Target}: {trace.Packets} packets, {trace.Steps} steps"));
    }

    [Fact]
    public void With_everything_each_packet_of_a_flow_is_traced()
    {
        using TracedNetwork network = new(Rules, TraceMode.Everything, TimeSpan.FromSeconds(1), Udp);
        using EchoServer? echo = EchoServer.Start(network.Server, Udp, TracedNetwork.ServerAt(FlowFamily.IPv4, 7000).Address, 7000);
        using Socket socket = TestClient.Open(network.Client, Udp,
            TracedNetwork.ClientAt(FlowFamily.IPv4, 40000), TracedNetwork.ServerAt(FlowFamily.IPv4, 7000));
        Thread.Sleep(TimeSpan.FromSeconds(1.2));
        for (int i = 0; i < 5; i++)
        {
            TestClient.Echo(socket, 10);
        }

        network.Expect(40000, """
            Accepted: inet firewall forward #2: udp dport 7000 accept
            12 inet firewall prerouting Policy 1 accept
            1 inet firewall forward Rule 2 accept: udp dport 7000 accept
            11 inet firewall forward Rule 1 accept: ct state established accept
            """);
    }
}
