using System.Net;
using Conntracker.Tests.Live.Support;
using Xunit;

namespace Conntracker.Tests.Live;

public sealed class ProtocolTests
{
    private const int Port = 5000;

    private sealed record Way(FlowDirection Direction, TestNamespace From, IPAddress Source, TestNamespace To, IPAddress Target, int Port);

    [Theory]
    [InlineData(FlowProtocol.Tcp, FlowFamily.IPv4)]
    [InlineData(FlowProtocol.Tcp, FlowFamily.IPv6)]
    [InlineData(FlowProtocol.Udp, FlowFamily.IPv4)]
    [InlineData(FlowProtocol.Udp, FlowFamily.IPv6)]
    [InlineData(FlowProtocol.UdpLite, FlowFamily.IPv4)]
    [InlineData(FlowProtocol.UdpLite, FlowFamily.IPv6)]
    [InlineData(FlowProtocol.Icmp, FlowFamily.IPv4)]
    [InlineData(FlowProtocol.IcmpV6, FlowFamily.IPv6)]
    [InlineData(FlowProtocol.Sctp, FlowFamily.IPv4)]
    [InlineData(FlowProtocol.Sctp, FlowFamily.IPv6)]
    [InlineData(FlowProtocol.Gre, FlowFamily.IPv4)]
    [InlineData(FlowProtocol.Gre, FlowFamily.IPv6)]
    [InlineData((FlowProtocol)253, FlowFamily.IPv4)]
    [InlineData((FlowProtocol)253, FlowFamily.IPv6)]
    public void Every_protocol_is_seen_in_every_direction_as_conntrack_lists_it(FlowProtocol protocol, FlowFamily family)
    {
        using TestNetwork network = new();

        // Linux 6.18 takes the checksums of UDP-Lite packets that come in for wrong.
        network.Firewall.WriteSetting("netfilter/nf_conntrack_checksum", protocol == FlowProtocol.UdpLite ? "0" : "1");
        using LiveCapture live = LiveCapture.Start(network.Firewall);
        IPAddress client = TestNetwork.ClientSide.Host(family);
        IPAddress inside = TestNetwork.ClientSide.Firewall(family);
        IPAddress outside = TestNetwork.ServerSide.Firewall(family);
        IPAddress server = TestNetwork.ServerSide.Host(family);
        Way[] ways =
        [
            new(FlowDirection.In, network.Client, client, network.Firewall, inside, 40001),
            new(FlowDirection.Out, network.Firewall, outside, network.Server, server, 40002),
            new(FlowDirection.Forward, network.Client, client, network.Server, server, 40003),
            new(FlowDirection.Local, network.Firewall, inside, network.Firewall, outside, 40004),
        ];
        foreach (Way way in ways)
        {
            using EchoServer? echo = EchoServer.Start(way.To, protocol, way.Target, Port);
            TestClient.Exchange(way.From, protocol, new IPEndPoint(way.Source, way.Port), new IPEndPoint(way.Target, Port));
            Flow flow = Eventually.Find($"{protocol} {way.Direction}", () => live.Flows.SingleOrDefault(each =>
                each.Protocol == protocol && each.SrcAddress.Equals(way.Source) && each.DstAddress.Equals(way.Target) && each.Confirmed));
            Assert.Equal(way.Direction, flow.Direction);
            Assert.Equal(family, flow.Family);
            Assert.False(flow.IsNat);
            if (flow.DstPort is ushort port)
            {
                Assert.Equal((way.Port, Port), ((int)flow.SrcPort!, (int)port));
            }
        }

        Eventually.Equal(() => ConntrackEntry.List(network.Firewall), () => ConntrackEntry.ListOpen(live.Capture));
        Assert.Equal(ways.Length, live.Flows.Count);
        Assert.Equal(0, live.Capture.Malformed);
    }

    [Theory]
    [InlineData("-p", "dccp", "--sport", "40001", "--dport", "5000", "--state", "OPEN", "--role", "client")]
    [InlineData("-p", "sctp", "--sport", "40001", "--dport", "5000", "--state", "ESTABLISHED", "--orig-vtag", "1", "--reply-vtag", "2")]
    [InlineData("-p", "gre", "--srckey", "1", "--dstkey", "2")]
    [InlineData("-p", "99")]
    public void Protocols_without_sockets_are_seen_as_conntrack_lists_them(params string[] entry)
    {
        using TestNamespace host = new();
        using LiveCapture live = LiveCapture.Start(host);

        host.Run("conntrack", ["-I", "-s", "192.0.2.2", "-d", "198.51.100.2", "-t", "60", .. entry]);
        host.Run("conntrack", ["-I", "-s", "2001:db8:1::2", "-d", "2001:db8:2::2", "-t", "60", .. entry]);

        Eventually.Equal(() => ConntrackEntry.List(host), () => ConntrackEntry.ListOpen(live.Capture));
        Assert.Equal(2, live.Flows.Count);
        Assert.Equal(0, live.Capture.Malformed);
    }
}
