using Conntracker.Tests.Live.Support;
using Xunit;
using static Conntracker.FlowProtocol;

namespace Conntracker.Tests.Live.Tracing;

/// <summary>A packet that has passed all rules of the host's own hooks may be dropped yet: by a bridge that it goes out by, or at a device's egress.</summary>
public sealed class BehindOurLastChainTests
{
    private const string Forward = """
        table inet filter {
          chain forward {
            type filter hook forward priority filter; policy drop;
            ct state established accept; udp dport 7000-7002 accept; meta l4proto ipv6-icmp accept;
          }
        }
        """;

    private const string Bridge = """
        table bridge bf {
          chain o { type filter hook output priority 0; policy accept; udp dport 7001 drop; }
        }
        """;

    private const string Egress = """
        table netdev eg {
          chain e { type filter hook egress device "outside" priority 0; policy accept; udp dport 7001 drop; }
        }
        """;

    [Theory]
    [InlineData(FlowFamily.IPv4, false)]
    [InlineData(FlowFamily.IPv6, false)]
    [InlineData(FlowFamily.IPv4, true)]
    public void What_a_bridge_drops_on_its_way_out_is_dropped_and_counted_once(FlowFamily family, bool isOld)
    {
        using TestNetwork network = new();
        string device = PutIntoBridge(network);
        network.Firewall.LoadRules(Forward + "\n" + Bridge);
        using LiveCapture live = Start(network, isOld);
        Check(network, live, family, "bridge bf o #1: udp dport 7001 drop",
            "bridge bf o Rule 1 drop: udp dport 7001 drop", "bridge bf o Policy 2 accept", device);
    }

    [Theory]
    [InlineData(FlowFamily.IPv4, false)]
    [InlineData(FlowFamily.IPv6, false)]
    [InlineData(FlowFamily.IPv4, true)]
    public void What_a_devices_egress_drops_is_dropped_and_counted_once(FlowFamily family, bool isOld)
    {
        using TestNetwork network = new();
        network.Firewall.LoadRules(Forward + "\n" + Egress);
        using LiveCapture live = Start(network, isOld);
        Check(network, live, family, "netdev eg e #1: udp dport 7001 drop",
            "netdev eg e Rule 1 drop: udp dport 7001 drop", "netdev eg e Policy 2 accept", "outside");
    }

    private static LiveCapture Start(TestNetwork network, bool isOld) => LiveCapture.Start(new CaptureOptions
    {
        NetworkNamespace = network.Firewall.Name,
        Trace = TraceMode.Everything,
        Protocols = [Udp],
        IgnoresTracedConnections = isOld,
    });

    private static void Check(TestNetwork network, LiveCapture live, FlowFamily family, string decider, string dropped, string passed, string device)
    {
        // The neighbour is known from here on: a packet that waits for it would be sent later, and without its trace.
        using EchoServer? echo = EchoServer.Start(network.Server, Udp, TracedNetwork.ServerAt(family, 7000).Address, 7000);
        TestClient.Exchange(network.Client, Udp, TracedNetwork.ClientAt(family, 40000), TracedNetwork.ServerAt(family, 7000));
        TestClient.Exchange(network.Client, Udp, TracedNetwork.ClientAt(family, 40001), TracedNetwork.ServerAt(family, 7000));
        Eventually.True($"steps behind {device}", () => live.Flows.Any(flow => flow.SrcPort == 40001 && flow.Trace.Any(step => TraceText.Of(step) == passed)));
        Assert.Equal(FlowVerdict.Accepted, live.Flows.Single(flow => flow.SrcPort == 40001).Verdict);

        const int Before = 4;
        Eventually.Equal(() => Before, () => live.Capture.GetTraces().Single().Packets);
        TestClient.Send(network.Client, Udp, TracedNetwork.ClientAt(family, 40002), TracedNetwork.ServerAt(family, 7001));
        TraceText.Expect(live, 40002, $"""
            Dropped: {decider}
            1 inet filter forward Rule 2 accept: udp dport 7000-7002 accept
            1 {dropped}
            """);
        Assert.Equal(Before + 1, live.Capture.GetTraces().Single().Packets);
        Assert.Contains(live.Capture.GetFlows(new FlowQuery { Verdicts = [FlowVerdict.Dropped] }), flow => flow.SrcPort == 40002);
    }

    // The cable to the server becomes a port of a bridge, which gets its addresses.
    private static string PutIntoBridge(TestNetwork network)
    {
        network.Firewall.Run("ip", "link", "add", "br0", "type", "bridge");

        // Where br_netfilter is loaded, what a bridge forwards passes the host's own hooks as well.
        network.Firewall.Run("sh", "-c", "for each in /proc/sys/net/bridge/bridge-nf-call-ip*tables; do [ ! -e $each ] || echo 0 >$each; done");
        foreach (string address in (string[])[$"{TestNetwork.ServerSide.Firewall(FlowFamily.IPv4)}/24",
            $"{TestNetwork.ServerSide.Firewall(FlowFamily.IPv6)}/64"])
        {
            network.Firewall.Run("ip", "addr", "del", address, "dev", "outside");
        }

        network.Firewall.Run("ip", "link", "set", "outside", "master", "br0");
        network.Firewall.Run("ip", "link", "set", "br0", "up");
        network.Firewall.Run("ip", "addr", "add", $"{TestNetwork.ServerSide.Firewall(FlowFamily.IPv4)}/24", "dev", "br0");
        network.Firewall.Run("ip", "addr", "add", $"{TestNetwork.ServerSide.Firewall(FlowFamily.IPv6)}/64", "dev", "br0", "nodad");
        return "br0";
    }
}
