using System.Net;
using Conntracker.Tests.Live.Support;
using Xunit;

namespace Conntracker.Tests.Live.Packets;

/// <summary>Where flows go, told from packets and the addresses of the host that captures.</summary>
public sealed class PacketDirectionTests
{
    private const int Server = 5000;

    [Theory]
    [InlineData(FlowFamily.IPv4)]
    [InlineData(FlowFamily.IPv6)]
    public void In_out_through_and_local_are_told_apart_whoever_is_seen(FlowFamily family)
    {
        using TestNetwork network = new();
        IPAddress client = TestNetwork.ClientSide.Host(family);
        IPAddress firewall = TestNetwork.ClientSide.Firewall(family);
        IPAddress server = TestNetwork.ServerSide.Host(family);
        using EchoServer? onFirewall = EchoServer.Start(network.Firewall, FlowProtocol.Tcp, firewall, Server);
        using EchoServer? onServer = EchoServer.Start(network.Server, FlowProtocol.Tcp, server, Server);
        using LiveCapture live = PacketCapture.Start(network.Firewall, "any");

        TestClient.Exchange(network.Client, FlowProtocol.Tcp, new IPEndPoint(client, 40001), new IPEndPoint(firewall, Server));
        TestClient.Exchange(network.Firewall, FlowProtocol.Tcp, new IPEndPoint(TestNetwork.ServerSide.Firewall(family), 40002), new IPEndPoint(server, Server));
        TestClient.Exchange(network.Client, FlowProtocol.Tcp, new IPEndPoint(client, 40003), new IPEndPoint(server, Server));
        TestClient.Exchange(network.Firewall, FlowProtocol.Tcp, new IPEndPoint(firewall, 40004), new IPEndPoint(firewall, Server));

        Assert.Equal(
            [FlowDirection.In, FlowDirection.Out, FlowDirection.Forward, FlowDirection.Local],
            new[] { 40001, 40002, 40003, 40004 }.Select(port => live.FlowFrom(port).Direction));
    }

    [Theory]
    [InlineData(FlowFamily.IPv4, "192.0.2.77/24")]
    [InlineData(FlowFamily.IPv6, "2001:db8:1::77/64")]
    public void An_address_that_is_added_while_the_capture_runs_is_known_at_once(FlowFamily family, string added)
    {
        using TestNetwork network = new();
        IPAddress address = IPAddress.Parse(added.Split('/')[0]);
        using LiveCapture live = PacketCapture.Start(network.Firewall, "inside", "udp");

        Tool.Run("ip", ["-n", network.Firewall.Name, "addr", "add", added, "dev", "inside", .. family == FlowFamily.IPv6 ? ["nodad"] : Array.Empty<string>()]);
        TestClient.Send(network.Firewall, FlowProtocol.Udp, new IPEndPoint(address, 40001), new IPEndPoint(TestNetwork.ClientSide.Host(family), 5001));
        TestClient.Send(network.Client, FlowProtocol.Udp, new IPEndPoint(TestNetwork.ClientSide.Host(family), 40002), new IPEndPoint(address, 5002));

        Assert.Equal((FlowDirection.Out, FlowDirection.In), (live.FlowFrom(40001).Direction, live.FlowFrom(40002).Direction));
    }

    [Fact]
    public void At_a_mirror_port_the_addresses_that_were_told_count_as_own()
    {
        using TestNetwork network = new();
        IPAddress server = TestNetwork.ServerSide.Host(FlowFamily.IPv4);
        IPAddress client = TestNetwork.ClientSide.Host(FlowFamily.IPv4);
        using EchoServer? echo = EchoServer.Start(network.Server, FlowProtocol.Udp, server, Server);
        using LiveCapture live = LiveCapture.Start(new CaptureOptions
        {
            NetworkNamespace = network.Firewall.Name,
            Source = CaptureSource.Packet,
            Interface = "outside",
            LocalAddresses = [AddressRange.Parse($"{server}/32")],
        });

        TestClient.Exchange(network.Client, FlowProtocol.Udp, new IPEndPoint(client, 40001), new IPEndPoint(server, Server));
        TestClient.Send(network.Server, FlowProtocol.Udp, new IPEndPoint(server, 40002), new IPEndPoint(client, 5002));

        Assert.Equal((FlowDirection.In, FlowDirection.Out), (live.FlowFrom(40001).Direction, live.FlowFrom(40002).Direction));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_service_that_was_named_is_never_taken_for_the_client_although_its_own_packet_is_seen_first(bool isNamed)
    {
        using TestNetwork network = new();
        IPEndPoint service = new(TestNetwork.ClientSide.Firewall(FlowFamily.IPv4), 50000);
        IPEndPoint client = new(TestNetwork.ClientSide.Host(FlowFamily.IPv4), 40001);
        using LiveCapture live = LiveCapture.Start(new CaptureOptions
        {
            NetworkNamespace = network.Firewall.Name,
            Source = CaptureSource.Packet,
            Interface = "inside",
            Filter = "udp",
            IncomingUdpPorts = isNamed ? [service.Port] : [],
        });

        TestClient.Send(network.Firewall, FlowProtocol.Udp, service, client);
        TestClient.Send(network.Client, FlowProtocol.Udp, client, service);

        Flow flow = Eventually.Find("both packets", () => live.Flows.FirstOrDefault(flow => flow is { Packets: 1, ReplyPackets: 1 }));
        Assert.Single(live.Flows);
        Assert.Equal(
            isNamed ? (FlowDirection.In, (ushort)40001, (ushort)50000) : (FlowDirection.Out, (ushort)50000, (ushort)40001),
            (flow.Direction, flow.SrcPort, flow.DstPort));
    }

    [Fact]
    public void A_connection_from_before_the_capture_goes_from_the_client_to_the_well_known_port()
    {
        using TestNetwork network = new();
        IPEndPoint server = new(TestNetwork.ClientSide.Firewall(FlowFamily.IPv4), 443);
        using EchoServer? echo = EchoServer.Start(network.Firewall, FlowProtocol.Tcp, server.Address, server.Port);
        using System.Net.Sockets.Socket client = TestClient.Open(network.Client,
            FlowProtocol.Tcp, new IPEndPoint(TestNetwork.ClientSide.Host(FlowFamily.IPv4), 40001), server);
        using LiveCapture live = PacketCapture.Start(network.Firewall, "inside", "tcp src port 443");

        TestClient.Echo(client, 10);

        Flow flow = live.FlowTo(443);
        Assert.Equal((FlowDirection.In, (ushort)40001, 0UL, TcpState.Established), (flow.Direction, flow.SrcPort, flow.Packets, flow.TcpState));
        Assert.True(flow.ReplyPackets > 0);
    }
}
