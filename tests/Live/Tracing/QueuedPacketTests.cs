using System.Net.Sockets;
using Conntracker.Tests.Live.Support;
using Xunit;
using static Conntracker.FlowProtocol;

namespace Conntracker.Tests.Live.Tracing;

/// <summary>Packets that a rule hands to a program that is not there are lost: nothing may say that they were accepted.</summary>
public sealed class QueuedPacketTests
{
    [Theory]
    [InlineData(FlowFamily.IPv4)]
    [InlineData(FlowFamily.IPv6)]
    public void A_flow_that_was_open_before_its_trace_is_not_accepted_when_its_packet_is_lost(FlowFamily family)
    {
        using TestNetwork network = new();
        network.Firewall.LoadRules("table inet fw { chain a { type filter hook forward priority -10; policy accept; }\n}");
        using LiveCapture live = LiveCapture.Start(network.Firewall);
        using EchoServer? echo = EchoServer.Start(network.Server, Udp, TracedNetwork.ServerAt(family, 7012).Address, 7012);
        using Socket open = TestClient.Open(network.Client, Udp, TracedNetwork.ClientAt(family, 40000), TracedNetwork.ServerAt(family, 7012));
        Eventually.True("an open flow", () => live.Flows.Any(flow => flow.SrcPort == 40000 && flow.Confirmed));

        Iptables.Run(network.Firewall, family, "-I FORWARD -p udp --dport 7012 -j NFQUEUE --queue-num 99");
        live.Capture.EnableTrace(live.Flows.Single(flow => flow.SrcPort == 40000), TimeSpan.FromMinutes(1));
        network.Client.Do(() => open.Send(new byte[8]));
        const string Queued = "filter FORWARD Rule 1 queue";
        Eventually.True("the step of the queue", () =>
            TraceText.Of(live.Flows.Single(flow => flow.SrcPort == 40000)).Contains(Queued, StringComparison.Ordinal));
        Flow lost = live.Flows.Single(flow => flow.SrcPort == 40000);
        Assert.True(lost is { Verdict: FlowVerdict.Unknown, VerdictRule: null }, TraceText.Of(lost));
    }
}
