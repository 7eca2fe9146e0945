using System.Net;
using System.Net.Sockets;
using Conntracker.Tests.Live.Support;
using Xunit;
using static Conntracker.FlowProtocol;

namespace Conntracker.Tests.Live.Tracing;

/// <summary>
/// Before Linux 6.17 nftables' trace does not say which connection a packet belongs to. Traces of this kernel are read without that: no flow
/// may appear that nobody began.
/// </summary>
public sealed class OldKernelTraceTests
{
    private const int Count = 150;

    [Theory]
    [InlineData(FlowFamily.IPv4, "ip", "192.0.2.1", "198.51.100.2:7000")]
    [InlineData(FlowFamily.IPv6, "ip6", "2001:db8:1::1", "[2001:db8:2::2]:7000")]
    public void Translated_tcp_connections_are_one_flow_each(FlowFamily family, string table, string front, string server)
    {
        using TestNetwork network = new();
        network.Firewall.LoadRules($$"""
            table {{table}} nat {
              chain prerouting { type nat hook prerouting priority dstnat; policy accept; {{table}} daddr {{front}} tcp dport 6000 dnat to {{server}}; }
              chain postrouting { type nat hook postrouting priority srcnat; policy accept; oifname "outside" masquerade fully-random; }
            }
            table inet filter {
              chain forward { type filter hook forward priority filter; policy drop; ct state established accept; tcp dport 7000 accept; }
            }
            """);
        using LiveCapture live = Start(network);
        using EchoServer? echo = EchoServer.Start(network.Server, Tcp, TracedNetwork.ServerAt(family, 7000).Address, 7000);

        for (int i = 0; i < Count; i++)
        {
            IPEndPoint target = i % 2 == 0 ? TracedNetwork.ServerAt(family, 7000) : TracedNetwork.FirewallAt(family, 6000);
            TestClient.Exchange(network.Client, Tcp, TracedNetwork.ClientAt(family, 20000 + i), target);
        }

        Eventually.Equal(
            () => $"{Count} flows, {Count} accepted and answered; others: ",
            () =>
                Summary(live, TestNetwork.ClientSide.Host(family), flow =>
                    flow is { Verdict: FlowVerdict.Accepted, Confirmed: true } && flow.Trace.Any(step => step.Position == 1)));
    }

    [Theory]
    [InlineData(FlowFamily.IPv4)]
    [InlineData(FlowFamily.IPv6)]
    public void A_connection_that_the_server_refuses_is_answered(FlowFamily family)
    {
        using TestNetwork network = new();
        network.Firewall.LoadRules("""
            table inet nat {
              chain postrouting { type nat hook postrouting priority srcnat; policy accept; oifname "outside" masquerade; }
            }
            table inet filter {
              chain forward { type filter hook forward priority filter; policy accept; }
            }
            """);
        using LiveCapture live = Start(network);

        for (int i = 0; i < Count; i++)
        {
            network.Client.Do(() =>
            {
                using Socket socket = Sockets.Open(Tcp, TracedNetwork.ClientAt(family, 20000 + i));
                SocketException error = Assert.Throws<SocketException>(() => socket.Connect(TracedNetwork.ServerAt(family, 7000)));
                Assert.Equal(SocketError.ConnectionRefused, error.SocketErrorCode);
            });
        }

        Eventually.Equal(
            () => $"{Count} flows, {Count} accepted and answered; others: ",
            () => Summary(live, TestNetwork.ClientSide.Host(family), flow => flow is { Verdict: FlowVerdict.Accepted, Confirmed: true }));
    }

    [Theory]
    [InlineData(FlowFamily.IPv4, true)]
    [InlineData(FlowFamily.IPv6, true)]
    [InlineData(FlowFamily.IPv4, false)]
    [InlineData(FlowFamily.IPv6, false)]
    public void The_errors_that_a_reject_sends_again_and_again_are_no_flow(FlowFamily family, bool isOld)
    {
        using TestNetwork network = new();
        network.Firewall.LoadRules("""
            table inet filter {
              chain forward { type filter hook forward priority filter; policy drop; udp dport 7000 reject; }
              chain output { type filter hook output priority filter; policy accept; }
            }
            """);
        network.Firewall.WriteSetting("ipv4/icmp_ratelimit", "0");
        network.Firewall.WriteSetting("ipv6/icmp/ratelimit", "0");
        using LiveCapture live = Start(network, isOld);
        for (int i = 0; i < 20; i++)
        {
            TestClient.Send(network.Client, Udp, TracedNetwork.ClientAt(family, 20000 + (i / 5)), TracedNetwork.ServerAt(family, 7000));
        }


        // The answer may be reported before the rule that sends it.
        const string Rejected = "Rejected: inet filter forward #1: udp dport 7000 reject";
        const string Answer = "5 inet filter output Policy 1 accept";
        const string Rule = "5 inet filter forward Rule 1 reject: udp dport 7000 reject";
        Eventually.Equal(
            () => string.Join('\n', Enumerable.Repeat($"{Rejected}\n{Rule}\n{Answer}", 4)),
            () =>
                string.Join('\n', live.Flows.Where(IsShown)
                    .Select(flow => TraceText.Of(flow).Replace($"{Answer}\n{Rule}", $"{Rule}\n{Answer}", StringComparison.Ordinal))));
        Assert.Equal(0, live.Capture.GetCounters().TracesIncomplete);
    }

    private static bool IsShown(Flow flow) => flow.Protocol == Udp || (flow.Protocol is Icmp or IcmpV6 && (byte?)flow.IcmpType is not (>= 130 and <= 143));

    private static LiveCapture Start(TestNetwork network, bool isOld = true) => LiveCapture.Start(new CaptureOptions
    {
        NetworkNamespace = network.Firewall.Name,
        Trace = TraceMode.Everything,
        IgnoresTracedConnections = isOld,
    });

    private static string Summary(LiveCapture live, IPAddress client, Func<Flow, bool> isRight)
    {
        List<Flow> flows = [.. live.Flows.Where(flow => flow.Protocol == Tcp)];
        return $"{flows.Count} flows, {flows.Count(isRight)} accepted and answered; others: " +
            $"{string.Join("; ", flows.Where(flow => !flow.SrcAddress.Equals(client)))}";
    }
}
