using System.Net.Sockets;
using Conntracker.Tests.Live.Support;
using Xunit;
using static Conntracker.FlowProtocol;

namespace Conntracker.Tests.Live.Tracing;

/// <summary>While a capture runs, users choose what is traced, for how long, and see what comes of it.</summary>
public sealed class ChosenTraceTests
{
    private const string Rules = """
        table inet firewall {
          chain forward { type filter hook forward priority filter; policy drop; ct state established accept; udp dport 7000-7001 accept; }
        }
        """;

    private static readonly TimeSpan s_long = TimeSpan.FromMinutes(1);

    [Theory]
    [InlineData(FlowFamily.IPv4)]
    [InlineData(FlowFamily.IPv6)]
    public void A_flow_that_is_open_is_traced_from_now_on_and_no_other(FlowFamily family)
    {
        using TracedNetwork network = new(Rules, TraceMode.None);
        using EchoServer? echo = EchoServer.Start(network.Server, Udp, TracedNetwork.ServerAt(family, 7000).Address, 7000);
        using Socket chosen = Open(network, family, 40000);
        using Socket other = Open(network, family, 40001);
        Flow flow = Eventually.Find("the flow", () => network.Live.Flows.SingleOrDefault(each => each.SrcPort == 40000));
        network.Expect(40000, "Unknown: nothing");
        Assert.Empty(network.Live.Capture.GetTraces());

        (FlowTrace trace, bool wasActive) = network.Live.Capture.EnableTrace(flow, s_long);
        Assert.Equal((1, flow.ToString(), true, false, 0L), (trace.Id, trace.Target, trace.IsActive, wasActive, trace.Packets));
        TestClient.Echo(chosen, 10);
        TestClient.Echo(other, 10);
        TestClient.Echo(chosen, 10);
        network.Expect(40000, """
            Accepted: inet firewall forward #1: ct state established accept
            4 inet firewall forward Rule 1 accept: ct state established accept
            """);
        network.Expect(40001, "Unknown: nothing");
        Assert.Equal("1: 4 packets, 4 steps, active", Traces(network));

        (trace, wasActive) = network.Live.Capture.EnableTrace(flow, s_long);
        Assert.Equal((1, true), (trace.Id, wasActive));

        Assert.True(network.Live.Capture.DisableTrace(1));
        Assert.False(network.Live.Capture.DisableTrace(2));
        Assert.Equal("1: 4 packets, 4 steps, over", Traces(network));
        TestClient.Echo(chosen, 10);
        ExpectNothingMore(network, other);
        Assert.StartsWith("1: 4 packets, 4 steps, over", Traces(network), StringComparison.Ordinal);
    }

    [Fact]
    public void A_trace_ends_when_its_time_is_over()
    {
        using TracedNetwork network = new(Rules, TraceMode.None);
        using EchoServer? echo = EchoServer.Start(network.Server, Udp, TracedNetwork.ServerAt(FlowFamily.IPv4, 7000).Address, 7000);
        using Socket chosen = Open(network, FlowFamily.IPv4, 40000);
        using Socket other = Open(network, FlowFamily.IPv4, 40001);
        Flow flow = Eventually.Find("the flow", () => network.Live.Flows.SingleOrDefault(each => each.SrcPort == 40000));
        network.Live.Capture.EnableTrace(flow, TimeSpan.FromSeconds(1));
        network.Live.Capture.EnableTrace(new FlowQuery { DstPorts = [new PortRange(7000, 7000)], SrcPorts = [new PortRange(40000, 40000)] },
            TimeSpan.FromSeconds(1));
        Eventually.Equal(() => "1: 0 packets, 0 steps, over|2: 0 packets, 0 steps, over", () => Traces(network));

        // The kernel's own time for the tuple began a little later than the trace's.
        Eventually.True("no tuple in the kernel", () =>
            !network.Firewall.Run("nft", "list", "table", "inet", "conntracker").Contains("40000", StringComparison.Ordinal));

        TestClient.Echo(chosen, 10);
        ExpectNothingMore(network, other);
        network.Expect(40000, "Unknown: nothing");
    }

    [Theory]
    [InlineData(FlowFamily.IPv4)]
    [InlineData(FlowFamily.IPv6)]
    public void A_query_traces_what_it_matches_and_what_is_to_come(FlowFamily family)
    {
        using TracedNetwork network = new(Rules, TraceMode.None);
        using EchoServer? echo = EchoServer.Start(network.Server, Udp, TracedNetwork.ServerAt(family, 7000).Address, 7000);
        using Socket open = Open(network, family, 40000);
        Eventually.True("the flow", () => network.Live.Flows.Any(each => each.SrcPort == 40000));

        (FlowTrace trace, _) = network.Live.Capture.EnableTrace(
            new FlowQuery { Protocols = [Udp], DstPorts = [new PortRange(7000, 7000), new PortRange(7005, 7009)] }, s_long);
        TestClient.Echo(open, 10);
        network.Expect(40000, """
            Accepted: inet firewall forward #1: ct state established accept
            2 inet firewall forward Rule 1 accept: ct state established accept
            """);
        TestClient.Exchange(network.Client, Udp, TracedNetwork.ClientAt(family, 40001), TracedNetwork.ServerAt(family, 7000));
        network.Expect(40001, """
            Accepted: inet firewall forward #2: udp dport 7000-7001 accept
            1 inet firewall forward Rule 2 accept: udp dport 7000-7001 accept
            1 inet firewall forward Rule 1 accept: ct state established accept
            """);
        network.Send(Udp, family, 40002, 7008);
        network.Expect(40002, """
            Dropped: inet firewall forward policy drop
            1 inet firewall forward Policy 3 drop
            """);
        network.Exchange(Udp, family, 40003, 7001);
        network.Expect(40003, "Unknown: nothing");
        Assert.Equal("1: 5 packets, 5 steps, active", Traces(network));

        Assert.True(network.Live.Capture.DisableTrace(trace.Id));
        TestClient.Exchange(network.Client, Udp, TracedNetwork.ClientAt(family, 40005), TracedNetwork.ServerAt(family, 7000));
        network.Expect(40005, "Unknown: nothing");
        Assert.Equal("1: 5 packets, 5 steps, over", Traces(network));
    }

    [Theory]
    [InlineData(FlowFamily.IPv4, "ip", true)]
    [InlineData(FlowFamily.IPv4, "ip", false)]
    [InlineData(FlowFamily.IPv6, "ip6", true)]
    [InlineData(FlowFamily.IPv6, "ip6", false)]
    public void Answers_behind_nat_are_traced_as_well(FlowFamily family, string table, bool asQuery)
    {
        using TracedNetwork network = new($$"""
            {{Rules}}
            table {{table}} nat {
              chain prerouting { type nat hook prerouting priority dstnat; policy accept; udp dport 6000 dnat to {{TracedNetwork.ServerAt(family, 7000)}}; }
              chain postrouting { type nat hook postrouting priority srcnat; policy accept; oifname "outside" masquerade; }
            }
            """, TraceMode.None);
        using EchoServer? echo = EchoServer.Start(network.Server, Udp, TracedNetwork.ServerAt(family, 7000).Address, 7000);
        using Socket open = TestClient.Open(network.Client, Udp, TracedNetwork.ClientAt(family, 40000), TracedNetwork.FirewallAt(family, 6000));
        Flow flow = Eventually.Find("the flow", () => network.Live.Flows.SingleOrDefault(each => each.SrcPort == 40000));
        if (asQuery)
        {
            network.Live.Capture.EnableTrace(new FlowQuery { DstPorts = [new PortRange(6000, 6000)] }, s_long);
        }
        else
        {
            network.Live.Capture.EnableTrace(flow, s_long);
        }

        TestClient.Echo(open, 10);
        TestClient.Echo(open, 10);
        network.Expect(40000, """
            Accepted: inet firewall forward #1: ct state established accept
            4 inet firewall forward Rule 1 accept: ct state established accept
            """);
        Assert.Equal("1: 4 packets, 4 steps, active", Traces(network));
    }

    [Fact]
    public void What_cannot_be_traced_is_said_and_the_capture_goes_on()
    {
        using TracedNetwork network = new(Rules, TraceMode.None);
        Assert.Throws<ArgumentException>(() =>
            network.Live.Capture.EnableTrace(new FlowQuery { Protocols = [Icmp], DstPorts = [new PortRange(7000, 7000)] }, s_long));
        Assert.Empty(network.Live.Capture.GetTraces());

        network.Exchange(Udp, FlowFamily.IPv4, 40000, 7000);
        network.Expect(40000, "Unknown: nothing");
        network.Live.Stop();
        Assert.Throws<ConntrackException>(() => network.Live.Capture.EnableTrace(FlowQuery.All, s_long));
    }

    private static Socket Open(TracedNetwork network, FlowFamily family, int port) =>
        TestClient.Open(network.Client, Udp, TracedNetwork.ClientAt(family, port), TracedNetwork.ServerAt(family, 7000));

    // What was traced before this packet of another flow is told by then.
    private static void ExpectNothingMore(TracedNetwork network, Socket other)
    {
        Flow flow = network.Live.Flows.Single(each => each.SrcPort == 40001);
        network.Live.Capture.EnableTrace(flow, s_long);
        TestClient.Echo(other, 10);
        network.Expect(40001, """
            Accepted: inet firewall forward #1: ct state established accept
            2 inet firewall forward Rule 1 accept: ct state established accept
            """);
    }

    private static string Traces(TracedNetwork network) => string.Join('|', network.Live.Capture.GetTraces().Select(trace =>
        $"{trace.Id}: {trace.Packets} packets, {trace.Steps} steps, {(trace.IsActive ? "active" : "over")}"));
}
