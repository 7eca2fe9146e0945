using System.Net;
using Conntracker.Tests.Live.Support;
using Xunit;

namespace Conntracker.Tests.Live;

public sealed class NatTests
{
    private const int Port = 5000;
    private const int OtherPort = 6000;

    [Theory]
    [InlineData(FlowProtocol.Tcp, FlowFamily.IPv4)]
    [InlineData(FlowProtocol.Udp, FlowFamily.IPv4)]
    [InlineData(FlowProtocol.Tcp, FlowFamily.IPv6)]
    [InlineData(FlowProtocol.Udp, FlowFamily.IPv6)]
    public void A_forwarded_port_shows_the_server_behind_it(FlowProtocol protocol, FlowFamily family)
    {
        using TestNetwork network = new();
        string server = new IPEndPoint(TestNetwork.ServerSide.Host(family), Port).ToString();
        LoadNat(network.Firewall, "prerouting", $"meta nfproto {Of(family)} meta l4proto {{ tcp, udp }} th dport {OtherPort} dnat {Ip(family)} to {server}");
        using LiveCapture live = LiveCapture.Start(network.Firewall);
        using EchoServer? echo = EchoServer.Start(network.Server, protocol, TestNetwork.ServerSide.Host(family), Port);

        IPAddress front = TestNetwork.ClientSide.Firewall(family);
        TestClient.Exchange(network.Client, protocol, new IPEndPoint(TestNetwork.ClientSide.Host(family), 40001), new IPEndPoint(front, OtherPort));

        Flow flow = OnlyFlow(network, live);
        Assert.Equal((front, (ushort?)OtherPort), (flow.DstAddress, flow.DstPort));
        Assert.Equal((TestNetwork.ServerSide.Host(family), (ushort?)Port), (flow.ReplySrcAddress!, flow.ReplySrcPort));
        Assert.Equal(FlowDirection.Forward, flow.Direction);
    }

    [Theory]
    [InlineData(FlowProtocol.Tcp, FlowFamily.IPv4, "snat ip to 198.51.100.1:50000")]
    [InlineData(FlowProtocol.Udp, FlowFamily.IPv4, "masquerade to :50000")]
    [InlineData(FlowProtocol.Tcp, FlowFamily.IPv6, "masquerade to :50000")]
    [InlineData(FlowProtocol.Udp, FlowFamily.IPv6, "snat ip6 to [2001:db8:2::1]:50000")]
    public void A_client_behind_the_firewall_shows_the_address_that_the_server_sees(FlowProtocol protocol, FlowFamily family, string nat)
    {
        using TestNetwork network = new();
        LoadNat(network.Firewall, "postrouting", $"oifname outside meta l4proto {{ tcp, udp }} {nat}");
        using LiveCapture live = LiveCapture.Start(network.Firewall);
        using EchoServer? echo = EchoServer.Start(network.Server, protocol, TestNetwork.ServerSide.Host(family), Port);

        IPEndPoint client = new(TestNetwork.ClientSide.Host(family), 40001);
        TestClient.Exchange(network.Client, protocol, client, new IPEndPoint(TestNetwork.ServerSide.Host(family), Port));

        Flow flow = OnlyFlow(network, live);
        Assert.Equal((client.Address, (ushort?)client.Port), (flow.SrcAddress, flow.SrcPort));
        Assert.Equal((TestNetwork.ServerSide.Firewall(family), (ushort?)50000), (flow.ReplyDstAddress!, flow.ReplyDstPort));
        Assert.Equal(FlowDirection.Forward, flow.Direction);
    }

    [Fact]
    public void An_echo_through_masquerading_shows_the_address_that_the_server_sees()
    {
        using TestNetwork network = new();
        LoadNat(network.Firewall, "postrouting", "oifname outside masquerade");
        using LiveCapture live = LiveCapture.Start(network.Firewall);

        TestClient.Exchange(
            network.Client,
            FlowProtocol.Icmp,
            new IPEndPoint(TestNetwork.ClientSide.Host(FlowFamily.IPv4), 77),
            new IPEndPoint(TestNetwork.ServerSide.Host(FlowFamily.IPv4), 0));

        Flow flow = OnlyFlow(network, live);
        Assert.Equal(TestNetwork.ServerSide.Firewall(FlowFamily.IPv4), flow.ReplyDstAddress);
        Assert.Equal(((byte?)8, (byte?)0, (ushort?)77), (flow.IcmpType, flow.IcmpCode, flow.IcmpId));
    }

    [Theory]
    [InlineData(FlowFamily.IPv4)]
    [InlineData(FlowFamily.IPv6)]
    public void A_redirected_port_shows_that_the_firewall_itself_answers(FlowFamily family)
    {
        using TestNetwork network = new();
        LoadNat(network.Firewall, "prerouting", $"tcp dport {OtherPort} redirect to :{Port}");
        using LiveCapture live = LiveCapture.Start(network.Firewall);
        IPAddress inside = TestNetwork.ClientSide.Firewall(family);
        using EchoServer? echo = EchoServer.Start(network.Firewall, FlowProtocol.Tcp, inside, Port);

        IPAddress server = TestNetwork.ServerSide.Host(family);
        TestClient.Exchange(network.Client, FlowProtocol.Tcp, new IPEndPoint(TestNetwork.ClientSide.Host(family), 40001), new IPEndPoint(server, OtherPort));

        Flow flow = OnlyFlow(network, live);
        Assert.Equal((server, (ushort?)OtherPort), (flow.DstAddress, flow.DstPort));
        Assert.Equal((inside, (ushort?)Port), (flow.ReplySrcAddress!, flow.ReplySrcPort));
        Assert.Equal(FlowDirection.In, flow.Direction);
    }

    private static Flow OnlyFlow(TestNetwork network, LiveCapture live)
    {
        Eventually.True("a flow with an answer", () => live.Flows.Any(flow => flow.Confirmed));
        Eventually.Equal(() => ConntrackEntry.List(network.Firewall), () => ConntrackEntry.ListOpen(live.Capture));
        Flow flow = Assert.Single(live.Flows);
        Assert.True(flow.IsNat);
        return flow;
    }

    private static void LoadNat(TestNamespace firewall, string hook, string rule) => firewall.LoadRules($$"""
        table inet users {
          chain nat {
            type nat hook {{hook}} priority 0
            {{rule}}
          }
        }
        """);

    private static string Of(FlowFamily family) => family == FlowFamily.IPv4 ? "ipv4" : "ipv6";

    private static string Ip(FlowFamily family) => family == FlowFamily.IPv4 ? "ip" : "ip6";
}
