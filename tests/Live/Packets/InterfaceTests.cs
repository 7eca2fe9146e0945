using System.Net;
using Conntracker.Tests.Live.Support;
using Xunit;

namespace Conntracker.Tests.Live.Packets;

/// <summary>Interfaces of every kind, and those that go and come.</summary>
public sealed class InterfaceTests
{
    private const string Cable = "cable0";

    // Answers what comes with source and destination exchanged: no checksum changes by that.
    private const string TunnelEnd = """
        import fcntl, os, struct
        tunnel = os.open('/dev/net/tun', os.O_RDWR)
        fcntl.ioctl(tunnel, 0x400454ca, struct.pack('16sH14x', b'tunnel0', 0x1001))
        print('ready')
        while True:
            p = os.read(tunnel, 4096)
            if p[0] >> 4 == 4:
                os.write(tunnel, p[:12] + p[16:20] + p[12:16] + p[22:24] + p[20:22] + p[24:])
            elif p[6] == 17:
                os.write(tunnel, p[:8] + p[24:40] + p[8:24] + p[42:44] + p[40:42] + p[44:])
        """;

    [Theory]
    [InlineData(FlowProtocol.Tcp, "127.0.0.1")]
    [InlineData(FlowProtocol.Udp, "::1")]
    public void Each_packet_of_the_loopback_is_counted_once_also_with_every_interface(FlowProtocol protocol, string address)
    {
        using TestNamespace host = new();
        IPAddress at = IPAddress.Parse(address);
        using EchoServer? server = EchoServer.Start(host, protocol, at, 5000);
        using LiveCapture loopback = PacketCapture.Start(host, "lo");
        using LiveCapture any = PacketCapture.Start(host, null);
        long before = SentOn(host, "lo");

        TestClient.Exchange(host, protocol, new IPEndPoint(at, 40001), new IPEndPoint(at, 5000));

        Eventually.True("the connection has ended", () => protocol != FlowProtocol.Tcp || loopback.Flows.Any(flow => flow.State == FlowState.Closed));
        long sent = SentOn(host, "lo") - before;
        foreach (LiveCapture live in (LiveCapture[])[loopback, any])
        {
            Eventually.Equal(() => sent, () => live.Capture.Packets);
            Flow flow = Assert.Single(live.Flows);
            Assert.Equal(((ushort)5000, sent, FlowDirection.Local), (flow.DstPort, (long)(flow.Packets + flow.ReplyPackets)!, flow.Direction));
        }
    }

    [Theory]
    [InlineData(FlowFamily.IPv4)]
    [InlineData(FlowFamily.IPv6)]
    public void With_every_interface_a_forwarded_connection_is_one_flow_that_counts_both_its_passages(FlowFamily family)
    {
        using TestNetwork network = new();
        IPEndPoint source = new(TestNetwork.ClientSide.Host(family), 40001);
        IPEndPoint target = new(TestNetwork.ServerSide.Host(family), 5000);
        using EchoServer? server = EchoServer.Start(network.Server, FlowProtocol.Tcp, target.Address, target.Port);
        using LiveCapture any = PacketCapture.Start(network.Firewall, "any");
        using LiveCapture inside = PacketCapture.Start(network.Firewall, "inside");

        TestClient.Exchange(network.Client, FlowProtocol.Tcp, source, target);

        Eventually.True("both have seen its end", () => ClosedFlow(any) is not null && ClosedFlow(inside) is not null);
        // Captures read packets in their order: whoever has seen this one on all its interfaces has seen every packet before it.
        TestClient.Send(network.Client, FlowProtocol.Udp, new IPEndPoint(source.Address, 40009), new IPEndPoint(target.Address, 5009));
        Eventually.True("a later packet on both interfaces", () => any.FlowTo(5009).Packets == 2 && inside.FlowTo(5009).Packets == 1);
        Flow once = ClosedFlow(inside)!;
        Flow twice = ClosedFlow(any)!;
        Assert.Equal((FlowDirection.Forward, source.Address, 1), (twice.Direction, twice.SrcAddress, (int)twice.Connections));
        Assert.Equal((2 * once.Packets, 2 * once.ReplyPackets), (twice.Packets, twice.ReplyPackets));
    }

    [Fact]
    public void A_tunnel_without_heads_of_frames_gives_its_flows()
    {
        using TestNamespace host = new();
        using Tool tunnel = host.StartPython(TunnelEnd);
        foreach (string command in (string[])["addr add 10.9.0.1/24 dev tunnel0", "addr add 2001:db8:9::1/64 dev tunnel0 nodad", "link set tunnel0 up"])
        {
            Tool.Run("ip", ["-n", host.Name, .. command.Split(' ')]);
        }

        using LiveCapture live = PacketCapture.Start(host, "tunnel0");
        TestClient.Exchange(host, FlowProtocol.Udp, new IPEndPoint(IPAddress.Parse("10.9.0.1"), 40001), new IPEndPoint(IPAddress.Parse("10.9.0.2"), 5004));
        TestClient.Exchange(host, FlowProtocol.Udp, new IPEndPoint(IPAddress.Parse("2001:db8:9::1"), 40001),
            new IPEndPoint(IPAddress.Parse("2001:db8:9::2"), 5006));

        foreach (int port in (int[])[5004, 5006])
        {
            Eventually.True($"the answer of port {port}", () =>
                live.FlowTo(port) is { Packets: 1, ReplyPackets: 1, State: FlowState.Replied, Direction: FlowDirection.Out });
        }
    }

    [Fact]
    public void An_interface_that_goes_down_and_up_again_is_still_captured()
    {
        using TestNamespace host = new();
        MakeCable(host);
        using LiveCapture live = PacketCapture.Start(host, Cable);
        SendOn(host, 5001);
        live.FlowTo(5001);

        Tool.Run("ip", "-n", host.Name, "link", "set", Cable, "down");
        Thread.Sleep(300);
        Tool.Run("ip", "-n", host.Name, "link", "set", Cable, "up");
        SendOn(host, 5002);

        Assert.Equal(FlowDirection.Out, live.FlowTo(5002).Direction);
        Assert.Equal((CaptureState.Running, 2), (live.Capture.State, live.Flows.Count(flow => flow.Protocol == FlowProtocol.Udp)));
    }

    [Fact]
    public void An_interface_that_is_deleted_and_made_again_is_told_of_and_captured_again()
    {
        using TestNamespace host = new();
        MakeCable(host);
        using LiveCapture live = PacketCapture.Start(host, Cable);
        SendOn(host, 5001);
        live.FlowTo(5001);

        Tool.Run("ip", "-n", host.Name, "link", "delete", Cable);
        Eventually.True("a notice", () => live.Capture.Notices.Any(notice => notice.Contains($"'{Cable}'", StringComparison.Ordinal)));
        MakeCable(host);
        Eventually.Equal(() => 1, () => PacketCapture.CountSockets(host));
        SendOn(host, 5002);

        live.FlowTo(5002);
        Assert.Contains(live.Flows, flow => flow.DstPort == 5001);
        Assert.Single(live.Capture.Notices);
        live.Stop();
    }

    [Fact]
    public void A_capture_whose_interface_is_gone_can_be_stopped()
    {
        using TestNamespace host = new();
        MakeCable(host);
        using LiveCapture live = PacketCapture.Start(host, Cable);
        SendOn(host, 5001);
        live.FlowTo(5001);
        Tool.Run("ip", "-n", host.Name, "link", "delete", Cable);
        Eventually.True("a notice", () => live.Capture.Notices.Count > 0);

        Assert.Equal(CaptureState.Stopped, live.Stop().State);
        Assert.Contains(live.Flows, flow => flow.DstPort == 5001);
    }

    [Fact]
    public void An_interface_that_is_not_there_is_an_error_that_names_it()
    {
        using TestNamespace host = new();

        ConntrackException error = Assert.Throws<ConntrackException>(() => PacketCapture.Start(host, "missing0"));

        Assert.Equal(ConntrackErrorReason.InterfaceNotFound, error.Reason);
        Assert.Contains("'missing0'", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void An_interface_that_is_down_is_an_error_that_says_so()
    {
        using TestNamespace host = new();
        Tool.Run("ip", "-n", host.Name, "link", "add", Cable, "type", "veth", "peer", "name", "cable1");

        ConntrackException error = Assert.Throws<ConntrackException>(() => PacketCapture.Start(host, Cable));

        Assert.Equal(ConntrackErrorReason.InterfaceRefused, error.Reason);
        Assert.Contains($"'{Cable}'", error.Message, StringComparison.Ordinal);
        Assert.Contains("down", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void With_every_interface_one_that_comes_later_is_captured_too()
    {
        using TestNamespace host = new();
        using LiveCapture live = PacketCapture.Start(host, "any");
        MakeCable(host);
        SendOn(host, 5001);
        Assert.Equal(FlowDirection.Out, live.FlowTo(5001).Direction);
        Assert.Empty(live.Capture.Notices);
    }

    [Fact]
    public void What_comes_just_before_the_stop_is_in_the_capture()
    {
        using TestNamespace host = new();
        for (int port = 5001; port <= 5010; port++)
        {
            using LiveCapture live = PacketCapture.Start(host, "lo", "udp");
            PacketCapture.SendDatagrams(host, new IPEndPoint(IPAddress.Loopback, 40001), new IPEndPoint(IPAddress.Loopback, port));
            live.Stop();
            Assert.Contains(live.Flows, flow => flow.DstPort == port);
        }
    }

    private static void MakeCable(TestNamespace host)
    {
        Tool.Run("ip", "-n", host.Name, "link", "add", Cable, "type", "veth", "peer", "name", "cable1");
        Tool.Run("ip", "-n", host.Name, "addr", "add", "10.1.1.1/24", "brd", "+", "dev", Cable);
        Tool.Run("ip", "-n", host.Name, "link", "set", "cable1", "up");
        Tool.Run("ip", "-n", host.Name, "link", "set", Cable, "up");
    }

    private static void SendOn(TestNamespace host, int port) => PacketCapture.SendDatagrams(
        host, new IPEndPoint(IPAddress.Parse("10.1.1.1"), 40001), new IPEndPoint(IPAddress.Parse("10.1.1.255"), port));

    private static Flow? ClosedFlow(LiveCapture live) => live.Flows.FirstOrDefault(flow => flow is { Protocol: FlowProtocol.Tcp, State: FlowState.Closed });

    private static long SentOn(TestNamespace host, string device) =>
        long.Parse(host.Run("cat", $"/sys/class/net/{device}/statistics/tx_packets"), null);
}
