using System.Net;
using System.Net.Sockets;
using Conntracker.Core.Native;
using Conntracker.Tests.Live.Support;
using Conntracker.Tests.Shared;
using Xunit;

namespace Conntracker.Tests.Live;

/// <summary>What connection tracking knows of a connection beside its tuples, and when a capture knows it.</summary>
public sealed class TrackingTests
{
    private static readonly IPEndPoint s_server = new(IPAddress.Loopback, 5000);

    [Fact]
    public void Zones_keep_equal_tuples_apart()
    {
        using TestNamespace host = new();
        host.LoadRules("""
            table inet users {
              chain zones {
                type filter hook output priority -300
                meta mark 5 ct zone set 5
                meta mark 6 ct zone set 6
                meta mark 7 ct original zone set 7
              }
            }
            """);
        using LiveCapture live = LiveCapture.Start(host);

        foreach (int zone in (int[])[0, 5, 6, 7])
        {
            host.Do(() =>
            {
                const int SolSocket = 1;
                const int SoMark = 36;

                // A zone of one direction only shares the other with the default zone.
                using Socket socket = Sockets.Open(FlowProtocol.Udp, new IPEndPoint(IPAddress.Loopback, zone == 7 ? 40007 : 40001));
                socket.SetRawSocketOption(SolSocket, SoMark, BitConverter.GetBytes(zone));
                socket.SendTo([1], s_server);
            });
        }

        Eventually.Equal(() => ConntrackEntry.List(host), () => ConntrackEntry.ListOpen(live.Capture));
        Assert.Equal([0, 5, 6, 7], live.Flows.Where(flow => flow.Protocol == FlowProtocol.Udp).Select(flow => (int)flow.Zone).Order());
    }

    [Fact]
    public void A_connection_mark_is_shown_when_it_is_set_and_when_it_changes()
    {
        using TestNamespace host = new();
        host.LoadRules("""
            table inet users {
              chain marks {
                type filter hook output priority 0
                ct state new ct mark set 0xc0ffee
                ct state established ct mark set 7
              }
            }
            """);
        using LiveCapture live = LiveCapture.Start(host);
        IPEndPoint client = new(IPAddress.Loopback, 40001);
        host.Do(() =>
        {
            using Socket socket = Sockets.Open(FlowProtocol.Udp, client);
            socket.SendTo([1], s_server);
        });
        Eventually.Equal(() => 0xc0ffeeu, () => live.Flows.SingleOrDefault()?.Mark ?? 0);

        using EchoServer? echo = EchoServer.Start(host, FlowProtocol.Udp, s_server.Address, s_server.Port);
        TestClient.Exchange(host, FlowProtocol.Udp, client, s_server);
        Eventually.Equal(() => 7u, () => live.Flows.Single().Mark);
        Eventually.Equal(() => ConntrackEntry.List(host), () => ConntrackEntry.ListOpen(live.Capture));
    }

    [Fact]
    public void Connections_that_were_open_before_the_start_are_there_from_the_first_moment()
    {
        using TestNamespace host = new();
        using LiveCapture tracking = LiveCapture.Start(host);
        using EchoServer? echo = EchoServer.Start(host, FlowProtocol.Tcp, s_server.Address, s_server.Port);
        using Socket before = TestClient.Open(host, FlowProtocol.Tcp, new IPEndPoint(IPAddress.Loopback, 40001), s_server);

        using LiveCapture live = LiveCapture.Start(host);

        Flow flow = Assert.Single(live.Flows);
        Assert.Equal((40001, FlowState.Assured, TcpState.Established), ((int)flow.SrcPort!, flow.State, flow.TcpState!.Value));
        Assert.Equal(ConntrackEntry.List(host), ConntrackEntry.ListOpen(live.Capture));
    }

    [Fact]
    public void The_table_can_be_read_once_without_a_capture_and_without_leaving_a_trace()
    {
        using TestNamespace host = new();
        host.LoadRules("""
            table inet users {
              chain everything {
                ct state new
              }
            }
            """);
        string rules = host.Run("nft", "-a", "list", "ruleset");
        host.Do(() => ConntrackLoad.Create(5000, 0, TimeSpan.FromMinutes(5)));
        using EchoServer? echo = EchoServer.Start(host, FlowProtocol.Tcp, s_server.Address, s_server.Port);
        using Socket open = TestClient.Open(host, FlowProtocol.Tcp, new IPEndPoint(IPAddress.Loopback, 40001), s_server);

        using CancellationTokenSource deadline = new(TimeSpan.FromSeconds(20));
        using CaptureSession read = CaptureSession.ReadOnce(host.Name, deadline.Token);

        Assert.True(read.Wait(TimeSpan.FromSeconds(20)));
        Assert.Equal(ConntrackEntry.List(host), ConntrackEntry.ListOpen(read.GetFlows(FlowQuery.All)));
        Assert.Equal(rules, host.Run("nft", "-a", "list", "ruleset"));
    }

    [Fact]
    public void A_connection_that_ends_is_closed_and_one_that_comes_again_is_counted()
    {
        using TestNamespace host = new();
        using LiveCapture live = LiveCapture.Start(host);
        using EchoServer? echo = EchoServer.Start(host, FlowProtocol.Udp, s_server.Address, s_server.Port);
        for (int connections = 1; connections <= 3; connections++)
        {
            TestClient.Exchange(host, FlowProtocol.Udp, new IPEndPoint(IPAddress.Loopback, 40001), s_server);
            Eventually.Equal(() => (FlowState.Replied, connections), () => Only(live));
            host.Run("conntrack", "-D", "-p", "udp");
            Eventually.Equal(() => (FlowState.Closed, connections), () => Only(live));
        }
    }

    [Fact]
    public void A_tcp_connection_from_the_same_port_again_is_the_same_flow_with_one_connection_more()
    {
        using TestNamespace host = new();
        using LiveCapture live = LiveCapture.Start(host);
        using EchoServer? echo = EchoServer.Start(host, FlowProtocol.Tcp, s_server.Address, s_server.Port);
        for (int connections = 1; connections <= 3; connections++)
        {
            using (Socket socket = TestClient.Open(host, FlowProtocol.Tcp, new IPEndPoint(IPAddress.Loopback, 40001), s_server))
            {
                Eventually.Equal(
                    () => (TcpState.Established, connections),
                    () => (live.Flows.SingleOrDefault()?.TcpState ?? TcpState.None, Only(live).Connections));

                // A reset: the port is free at once.
                socket.LingerState = new LingerOption(enable: true, seconds: 0);
            }

            Eventually.Equal(() => TcpState.Close, () => live.Flows.Single().TcpState);
            Eventually.Equal(() => ConntrackEntry.List(host), () => ConntrackEntry.ListOpen(live.Capture));
        }
    }

    [Fact]
    public void Without_a_rule_of_the_users_tracking_is_switched_on_by_the_capture_and_its_table_goes_with_it()
    {
        using TestNamespace host = new();
        TestClient.Exchange(host, FlowProtocol.Icmp, new IPEndPoint(IPAddress.Loopback, 1), new IPEndPoint(IPAddress.Loopback, 0));
        Assert.Equal("", ConntrackEntry.List(host));

        using LiveCapture live = LiveCapture.Start(host);
        TestClient.Exchange(host, FlowProtocol.Icmp, new IPEndPoint(IPAddress.Loopback, 2), new IPEndPoint(IPAddress.Loopback, 0));
        Eventually.Equal(() => 2, () => (int)(live.Flows.SingleOrDefault()?.IcmpId ?? 0));
        Assert.Equal("table inet conntracker", host.Run("nft", "list", "tables").Trim());

        live.Stop();
        Assert.Equal("", host.Run("nft", "list", "ruleset"));
        Assert.Single(live.Flows);
    }

    [Fact]
    public void Where_the_kernel_makes_no_events_the_capture_says_so()
    {
        using TestNamespace host = new();
        using LiveCapture told = LiveCapture.Start(host);
        Assert.Empty(told.Notices);

        host.WriteSetting("netfilter/nf_conntrack_events", "0");
        using LiveCapture live = LiveCapture.Start(host);

        Assert.Contains("nf_conntrack_events", Assert.Single(live.Notices), StringComparison.Ordinal);
        Assert.Equal("0", host.ReadSetting("netfilter/nf_conntrack_events"));

        // The table shows them instead.
        TestClient.Exchange(host, FlowProtocol.Icmp, new IPEndPoint(IPAddress.Loopback, 7), new IPEndPoint(IPAddress.Loopback, 0));
        Assert.Equal((7, FlowState.Replied), ((int)live.Flows.Single().IcmpId!, live.Flows.Single().State));
        host.Run("conntrack", "-D", "-p", "icmp");
        Assert.Equal(FlowState.Closed, live.Flows.Single().State);
    }

    [Fact]
    public void The_flows_are_those_that_conntrack_shows_as_events_over_the_same_time()
    {
        using TestNetwork network = new();
        using LiveCapture live = LiveCapture.Start(network.Firewall);
        int listeners = Listeners(network.Firewall);
        using Tool events = network.Firewall.Start("conntrack", "-E", "-o", "extended,id");
        Eventually.True("conntrack -E listens", () => Listeners(network.Firewall) > listeners);

        int begun = 0;
        foreach (FlowFamily family in (FlowFamily[])[FlowFamily.IPv4, FlowFamily.IPv6])
        {
            IPAddress client = TestNetwork.ClientSide.Host(family);
            IPEndPoint server = new(TestNetwork.ServerSide.Host(family), 5000);
            foreach (FlowProtocol protocol in (FlowProtocol[])[FlowProtocol.Tcp, FlowProtocol.Udp])
            {
                using EchoServer? echo = EchoServer.Start(network.Server, protocol, server.Address, server.Port);
                for (int port = 40000; port < 40050; port++)
                {
                    TestClient.Exchange(network.Client, protocol, new IPEndPoint(client, port), server);

                    // conntrack(8) has a small buffer: on a busy machine it would lose events of a burst.
                    if (++begun % 10 == 0)
                    {
                        Eventually.True($"{begun} connections by conntrack -E", () => ConntrackEntry.CountBegun(events.Output) == begun);
                    }
                }
            }

            FlowProtocol icmp = family == FlowFamily.IPv4 ? FlowProtocol.Icmp : FlowProtocol.IcmpV6;
            TestClient.Exchange(network.Client, icmp, new IPEndPoint(client, 9), server);
            begun++;
            Eventually.True($"{begun} connections by conntrack -E", () => ConntrackEntry.CountBegun(events.Output) == begun);
        }

        Assert.Equal(202, begun);
        Eventually.Equal(() => ConntrackEntry.ListBegun(events.Output), () => ConntrackEntry.ListTuples(live.Capture));
        events.End("TERM");
    }

    private static (FlowState State, int Connections) Only(LiveCapture live)
    {
        Flow? flow = live.Flows.SingleOrDefault();
        return (flow?.State ?? FlowState.New, (int)(flow?.Connections ?? 0));
    }

    // Netlink sockets that have joined a group of netfilter's.
    private static int Listeners(TestNamespace where) => where.Do(() => File.ReadAllLines("/proc/thread-self/net/netlink"))
        .Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        .Count(columns => columns[1] == $"{NetlinkConstants.NETLINK_NETFILTER}" && columns[3] != "00000000");
}
