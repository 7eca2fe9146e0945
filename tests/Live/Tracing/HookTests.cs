using System.Net;
using Conntracker.Tests.Live.Support;
using Xunit;
using static Conntracker.FlowProtocol;

namespace Conntracker.Tests.Live.Tracing;

/// <summary>Packets that pass through, come in, go out and stay on the host show the chains of the hooks that they pass.</summary>
public sealed class HookTests
{
    private const string EveryHook = """
        table inet filter {
          chain prerouting { type filter hook prerouting priority filter; policy accept; }
          chain input { type filter hook input priority filter; policy accept; udp dport 7000 accept; udp dport 7001 drop; }
          chain forward { type filter hook forward priority filter; policy accept; }
          chain output { type filter hook output priority filter; policy accept; udp dport 7002 drop; }
          chain postrouting { type filter hook postrouting priority filter; policy accept; }
        }
        """;

    [Theory]
    [InlineData(FlowFamily.IPv4)]
    [InlineData(FlowFamily.IPv6)]
    public void What_the_host_is_sent_shows_the_input_rules(FlowFamily family)
    {
        using TracedNetwork network = new(EveryHook);
        IPEndPoint here = TracedNetwork.FirewallAt(family, 7000);
        using EchoServer? echo = EchoServer.Start(network.Firewall, Udp, here.Address, here.Port);

        TestClient.Exchange(network.Client, Udp, TracedNetwork.ClientAt(family, 40000), here);
        network.Expect(40000, """
            Accepted: inet filter input #1: udp dport 7000 accept
            1 inet filter prerouting Policy 1 accept
            1 inet filter input Rule 1 accept: udp dport 7000 accept
            1 inet filter output Policy 2 accept
            1 inet filter postrouting Policy 1 accept
            """);

        TestClient.Send(network.Client, Udp, TracedNetwork.ClientAt(family, 40001), TracedNetwork.FirewallAt(family, 7001));
        network.Expect(40001, """
            Dropped: inet filter input #2: udp dport 7001 drop
            1 inet filter prerouting Policy 1 accept
            1 inet filter input Rule 2 drop: udp dport 7001 drop
            """);
        Assert.All(network.Live.Flows.Where(flow => flow.Protocol == Udp), flow => Assert.Equal(FlowDirection.In, flow.Direction));
    }

    [Theory]
    [InlineData(FlowFamily.IPv4)]
    [InlineData(FlowFamily.IPv6)]
    public void What_the_host_sends_shows_the_output_rules(FlowFamily family)
    {
        using TracedNetwork network = new(EveryHook);
        IPAddress source = TestNetwork.ServerSide.Firewall(family);
        IPEndPoint server = TracedNetwork.ServerAt(family, 7003);
        using EchoServer? echo = EchoServer.Start(network.Server, Udp, server.Address, server.Port);

        TestClient.Exchange(network.Firewall, Udp, new IPEndPoint(source, 40003), server);
        network.Expect(40003, """
            Accepted: inet filter output policy accept
            1 inet filter output Policy 2 accept
            1 inet filter postrouting Policy 1 accept
            1 inet filter prerouting Policy 1 accept
            1 inet filter input Policy 3 accept
            """);

        TestClient.Send(network.Firewall, Udp, new IPEndPoint(source, 40002), TracedNetwork.ServerAt(family, 7002));
        network.Expect(40002, """
            Dropped: inet filter output #1: udp dport 7002 drop
            1 inet filter output Rule 1 drop: udp dport 7002 drop
            """);
        Assert.All(network.Live.Flows.Where(flow => flow.Protocol == Udp), flow => Assert.Equal(FlowDirection.Out, flow.Direction));
    }

    [Theory]
    [InlineData(FlowFamily.IPv4)]
    [InlineData(FlowFamily.IPv6)]
    public void What_stays_on_the_host_shows_its_way_out_and_in_again(FlowFamily family)
    {
        using TestNamespace host = new();
        host.LoadRules(EveryHook);
        using LiveCapture live = LiveCapture.Start(new CaptureOptions { NetworkNamespace = host.Name, Trace = TraceMode.Everything });
        IPAddress loopback = family == FlowFamily.IPv4 ? IPAddress.Loopback : IPAddress.IPv6Loopback;
        using EchoServer? echo = EchoServer.Start(host, Udp, loopback, 7000);

        TestClient.Exchange(host, Udp, new IPEndPoint(loopback, 40000), new IPEndPoint(loopback, 7000));
        TraceText.Expect(live, 40000, """
            Accepted: inet filter input #1: udp dport 7000 accept
            2 inet filter output Policy 2 accept
            2 inet filter postrouting Policy 1 accept
            2 inet filter prerouting Policy 1 accept
            1 inet filter input Rule 1 accept: udp dport 7000 accept
            1 inet filter input Policy 3 accept
            """);

        TestClient.Send(host, Udp, new IPEndPoint(loopback, 40001), new IPEndPoint(loopback, 7001));
        TraceText.Expect(live, 40001, """
            Dropped: inet filter input #2: udp dport 7001 drop
            1 inet filter output Policy 2 accept
            1 inet filter postrouting Policy 1 accept
            1 inet filter prerouting Policy 1 accept
            1 inet filter input Rule 2 drop: udp dport 7001 drop
            """);
    }

    [Theory]
    [InlineData("prerouting", FlowFamily.IPv4, 2)]
    [InlineData("input", FlowFamily.IPv4, 1)]
    [InlineData("forward", FlowFamily.IPv4, 2)]
    [InlineData("output", FlowFamily.IPv4, 1)]
    [InlineData("postrouting", FlowFamily.IPv4, 2)]
    [InlineData("prerouting", FlowFamily.IPv6, 2)]
    [InlineData("input", FlowFamily.IPv6, 1)]
    [InlineData("forward", FlowFamily.IPv6, 2)]
    [InlineData("output", FlowFamily.IPv6, 1)]
    [InlineData("postrouting", FlowFamily.IPv6, 2)]
    public void The_policy_of_each_hook_is_the_verdict_where_no_rule_decides(string hook, FlowFamily family, int packets)
    {
        string table = family == FlowFamily.IPv4 ? "ip" : "ip6";
        using TracedNetwork network = new($$"""
            table {{table}} filter {
              chain base { type filter hook {{hook}} priority filter; policy accept; icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept; }
            }
            """);
        (TestNamespace from, IPEndPoint source) = hook == "output"
            ? (network.Firewall, new IPEndPoint(TestNetwork.ServerSide.Firewall(family), 40000))
            : (network.Client, TracedNetwork.ClientAt(family, 40000));
        (TestNamespace to, IPEndPoint target) = hook == "input"
            ? (network.Firewall, TracedNetwork.FirewallAt(family, 7000))
            : (network.Server, TracedNetwork.ServerAt(family, 7000));
        using EchoServer? echo = EchoServer.Start(to, Udp, target.Address, target.Port);

        TestClient.Exchange(from, Udp, source, target);
        network.Expect(40000, $"""
            Accepted: {table} filter base policy accept
            {packets} {table} filter base Policy 2 accept
            """);

        network.Firewall.LoadRules($"chain {table} filter base {{ policy drop; }}");
        source.Port = 40001;
        TestClient.Send(from, Udp, source, target);
        network.Expect(40001, $"""
            Dropped: {table} filter base policy drop
            1 {table} filter base Policy 2 drop
            """);
    }
}
