using System.Net;
using System.Net.Sockets;
using Conntracker.Tests.Live.Support;
using Xunit;

namespace Conntracker.Tests.Live;

public sealed class CaptureOptionTests
{
    private static readonly IPEndPoint s_server = new(IPAddress.Loopback, 5000);

    [Fact]
    public void Only_the_protocols_that_were_asked_for_are_kept()
    {
        using TestNamespace host = new();
        using LiveCapture all = LiveCapture.Start(host);
        using LiveCapture live = LiveCapture.Start(new CaptureOptions { NetworkNamespace = host.Name, Protocols = [FlowProtocol.Icmp, FlowProtocol.Udp] });
        using EchoServer? udp = EchoServer.Start(host, FlowProtocol.Udp, s_server.Address, s_server.Port);
        using EchoServer? tcp = EchoServer.Start(host, FlowProtocol.Tcp, s_server.Address, s_server.Port);

        foreach (FlowProtocol protocol in (FlowProtocol[])[FlowProtocol.Tcp, FlowProtocol.Udp, FlowProtocol.Icmp])
        {
            TestClient.Exchange(host, protocol, new IPEndPoint(IPAddress.Loopback, 40001), s_server);
        }

        Eventually.Equal(() => 3, () => all.Flows.Count);
        Eventually.Equal(() => 2, () => live.Flows.Count);
        Assert.Equal([FlowProtocol.Icmp, FlowProtocol.Udp], live.Stop().GetFlows(FlowQuery.All).Select(flow => flow.Protocol).Order());
    }

    [Fact]
    public void A_capture_with_a_duration_ends_by_itself_and_keeps_its_flows()
    {
        using TestNamespace host = new();
        TimeSpan duration = TimeSpan.FromSeconds(1.5);
        using LiveCapture live = LiveCapture.Start(new CaptureOptions { NetworkNamespace = host.Name, Duration = duration });
        TestClient.Exchange(host, FlowProtocol.Icmp, new IPEndPoint(IPAddress.Loopback, 1), s_server);

        Assert.True(live.Capture.Wait(TimeSpan.FromSeconds(20)));

        Assert.Equal((CaptureState.Stopped, null), (live.Capture.State, live.Capture.Error));
        Assert.InRange(live.Capture.Duration, duration, duration + TimeSpan.FromSeconds(3));
        Assert.Single(live.Flows);
        Assert.Equal("", host.Run("nft", "list", "ruleset"));
    }

    [Fact]
    public void Past_the_flow_limit_no_service_and_no_connection_is_lost()
    {
        const int Services = 20;
        const int Clients = 250;
        using TestNamespace host = new();
        using LiveCapture live = LiveCapture.Start(new CaptureOptions { NetworkNamespace = host.Name, MaximumFlows = CaptureOptions.MinimumOfMaximumFlows });

        for (int service = 0; service < Services; service++)
        {
            host.Do(() =>
            {
                for (int client = 0; client < Clients; client++)
                {
                    using Socket socket = Sockets.Open(FlowProtocol.Udp, new IPEndPoint(IPAddress.Loopback, 20000 + client));
                    socket.SendTo([1], new IPEndPoint(s_server.Address, s_server.Port + service));
                }
            });
            host.Run("conntrack", "-F");
        }

        Eventually.Equal(() => (long)Services * Clients, () => live.Flows.Sum(flow => flow.Connections));
        Assert.Equal(Enumerable.Range(s_server.Port, Services), live.Flows.Select(flow => (int)flow.DstPort!).Distinct().Order());
        Assert.InRange(live.Capture.FlowCount, 1, CaptureOptions.MinimumOfMaximumFlows);
        Assert.True(live.Capture.Folded > 0);
        Assert.All(live.Flows, flow => Assert.Equal((FlowState.Closed, IPAddress.Loopback), (flow.State, flow.SrcAddress)));
    }

    [Fact]
    public void Whoever_watches_gets_each_new_flow_that_was_asked_for_and_then_the_end()
    {
        using TestNamespace host = new();
        using LiveCapture live = LiveCapture.Start(host);
        using EchoServer? udp = EchoServer.Start(host, FlowProtocol.Udp, s_server.Address, s_server.Port);
        TestClient.Exchange(host, FlowProtocol.Udp, new IPEndPoint(IPAddress.Loopback, 40000), s_server);
        Eventually.Equal(() => 1, () => live.Flows.Count);

        FlowSubscription watch = live.Capture.Session.Subscribe(new FlowQuery { Protocols = [FlowProtocol.Udp], SrcPorts = [new PortRange(40000, 40009)] });
        TestClient.Exchange(host, FlowProtocol.Icmp, new IPEndPoint(IPAddress.Loopback, 1), s_server);
        for (int port = 40001; port < 40020; port++)
        {
            TestClient.Exchange(host, FlowProtocol.Udp, new IPEndPoint(IPAddress.Loopback, port), s_server);
        }

        live.Stop();

        // Each once, in their order; not the one that was there before, and none of another query.
        Assert.Equal(Enumerable.Range(40001, 9), watch.Reader.ReadAllAsync().ToBlockingEnumerable().Select(flow => (int)flow.SrcPort!));
        Assert.Equal(0, watch.Skipped);
    }

    [Fact]
    public void A_start_that_is_given_up_leaves_nothing_behind()
    {
        using TestNamespace host = new();

        Assert.ThrowsAny<OperationCanceledException>(() =>
            CaptureRegistry.Start("given up", new CaptureOptions { NetworkNamespace = host.Name, Accounting = true }, new CancellationToken(canceled: true)));

        Assert.False(CaptureRegistry.TryFind("given up", out _));
        Assert.Equal("", host.Run("nft", "list", "ruleset"));
        Assert.Equal("0", host.ReadSetting("netfilter/nf_conntrack_acct"));
    }
}
