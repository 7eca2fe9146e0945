using System.Globalization;
using System.Net;
using Conntracker.Tests.Live.Support;
using Xunit;

namespace Conntracker.Tests.Live.Packets;

/// <summary>Tagged frames: the kernel takes the outer tag off before anybody sees the packet, and libpcap puts it back.</summary>
public sealed class VlanFrameTests
{
    private const string Tag = "8100";
    private const string ServiceTag = "88a8";

    // Sends a datagram of 10.7.0.2 to 10.7.0.1 in a frame for nobody in particular, behind the tags that the arguments tell.
    private const string Sender = """
        import socket, struct, sys
        device, port, tags = sys.argv[1], int(sys.argv[2]), bytes.fromhex(sys.argv[3])
        link = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
        link.bind((device, 0))
        udp = struct.pack('>HHHH', 40001, port, 12, 0) + b'tags'
        ip = struct.pack('>BBHHHBBH4s4s', 0x45, 0, 20 + len(udp), 1, 0, 64, 17, 0, bytes([10, 7, 0, 2]), bytes([10, 7, 0, 1]))
        link.send(b'\x02\0\0\0\0\x09' + b'\x02\0\0\0\0\x08' + tags + b'\x08\0' + ip + udp)
        """;

    [Theory]
    [InlineData("eth1")]
    [InlineData("any")]
    public void Tagged_and_stacked_frames_are_flows_like_others(string captured)
    {
        using TestNamespace host = new();
        using TestNamespace peer = new();
        PacketCapture.Join(host, "eth1", peer, "eth1");
        using LiveCapture live = PacketCapture.Start(host, captured);

        peer.Python(Sender, "eth1", "5000", "");
        peer.Python(Sender, "eth1", "5001", $"{Tag}000a");
        peer.Python(Sender, "eth1", "5002", $"{ServiceTag}0014{Tag}001e");
        peer.Python(Sender, "eth1", "5003", $"{Tag}0014{Tag}001e");
        peer.Python(Sender, "eth1", "5004", $"{ServiceTag}0014{ServiceTag}001e{Tag}0028");

        for (int port = 5000; port <= 5004; port++)
        {
            Flow flow = live.FlowTo(port);
            Assert.Equal(("10.7.0.2", "10.7.0.1", 1UL, 32UL), (flow.SrcAddress.ToString(), flow.DstAddress.ToString(), flow.Packets, flow.Bytes));
        }

        Assert.Equal(0, live.Capture.Malformed);
    }

    [Fact]
    public void A_filter_for_a_VLAN_takes_its_frames_only()
    {
        using TestNamespace host = new();
        using TestNamespace peer = new();
        PacketCapture.Join(host, "eth1", peer, "eth1");
        using LiveCapture live = PacketCapture.Start(host, "eth1", "vlan 10 and udp");

        peer.Python(Sender, "eth1", "5000", "");
        peer.Python(Sender, "eth1", "5002", $"{Tag}0014");
        peer.Python(Sender, "eth1", "5001", $"{Tag}000a");

        live.FlowTo(5001);
        Assert.Single(live.Flows);
        Assert.Equal(1, live.Stop().Packets);
    }

    [Theory]
    [InlineData("802.1Q")]
    [InlineData("802.1ad")]
    public void A_VLAN_interface_and_the_one_below_it_see_the_same_connection(string protocol)
    {
        using TestNamespace host = new();
        using TestNamespace peer = new();
        PacketCapture.Join(host, "eth1", peer, "eth1");
        foreach ((TestNamespace where, int number) in new[] { (host, 1), (peer, 2) })
        {
            ToolResult made = Tool.Try("ip", "-n", where.Name, "link", "add",
                "link", "eth1", "name", "vlan10", "type", "vlan", "protocol", protocol, "id", "10");
            Assert.SkipWhen(made.ExitCode != 0, $"This kernel has no VLAN interfaces ({protocol}): {made.Error.Trim()}");
            Tool.Run("ip", "-n", where.Name, "addr", "add", string.Create(CultureInfo.InvariantCulture, $"10.7.0.{number}/24"), "dev", "vlan10");
            Tool.Run("ip", "-n", where.Name, "link", "set", "vlan10", "up");
        }

        using EchoServer? server = EchoServer.Start(host, FlowProtocol.Udp, IPAddress.Parse("10.7.0.1"), 5000);
        using LiveCapture above = PacketCapture.Start(host, "vlan10", "udp");
        using LiveCapture below = PacketCapture.Start(host, "eth1");

        TestClient.Exchange(peer, FlowProtocol.Udp, new IPEndPoint(IPAddress.Parse("10.7.0.2"), 40001), new IPEndPoint(IPAddress.Parse("10.7.0.1"), 5000));

        foreach (LiveCapture live in (LiveCapture[])[above, below])
        {
            Eventually.True("both directions", () => live.FlowTo(5000) is { Packets: 1, ReplyPackets: 1, Direction: FlowDirection.In });
        }
    }
}
