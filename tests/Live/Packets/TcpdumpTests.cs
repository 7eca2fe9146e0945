using System.Globalization;
using System.Net;
using Conntracker.Tests.Live.Support;
using Xunit;

namespace Conntracker.Tests.Live.Packets;

/// <summary>The same seconds on the same cable: what tcpdump prints, what a capture knows, and what reading tcpdump's file gives.</summary>
public sealed class TcpdumpTests
{
    private const string Device = "inside";
    private const int Server = 5000;
    private const int Nobody = 5001;
    private const int Marker = 5999;
    private const int BeyondOnePacket = 4000;

    [Fact]
    public void Mixed_traffic_gives_the_flows_and_the_counts_that_tcpdump_prints_live_and_of_its_file()
    {
        using TestNetwork network = new();
        using CommandLine folder = new();
        string path = folder.PathOf("cable.pcap");
        using LiveCapture live = PacketCapture.Start(network.Firewall, Device);
        using Tool tcpdump = network.Firewall.Start("tcpdump", "-i", Device, "-nn", "-U", "--immediate-mode", "-Z", "root", "-w", path);
        Eventually.True($"tcpdump listens\n{tcpdump.Error}", () => tcpdump.Error.Contains("listening", StringComparison.Ordinal));

        SpeakEverything(network);
        Eventually.True("every TCP connection has ended, or never began", () => live.Flows
            .Where(flow => flow.Protocol == FlowProtocol.Tcp).All(flow => flow.State == FlowState.Closed || flow.DstAddress.Equals(Missing(flow.Family))));
        PacketCapture.SendDatagrams(network.Client, From(FlowFamily.IPv4, 49999), To(FlowFamily.IPv4, Marker));
        Eventually.True("the last packet in tcpdump's file", () =>
            Tool.Try("tcpdump", "-nn", "-r", path, $"udp dst port {Marker}").Output.Contains($".{Marker}", StringComparison.Ordinal));
        live.FlowTo(Marker);
        live.Stop();
        tcpdump.End("INT");

        TcpdumpText text = TcpdumpText.Read(path);
        using LiveCapture file = PacketCapture.Read(path);

        // What the hosts' IPv6 does by itself goes on before and after: of the file it is compared, live it is not.
        Assert.Equal(Describe(text.Counts), Describe(CountsOf(file)));
        Assert.Equal(Describe(text.Counts.Where(IsOfTest)), Describe(CountsOf(live).Where(IsOfTest)));
        Assert.Equal(Describe(file), Describe(live));
        Assert.Equal((0, 0), (live.Capture.Malformed, live.Capture.PacketsLost));

        // That nothing of what was sent is missing on all three sides.
        Flow[] flows = [.. live.Flows.Where(flow => flow.SrcPort is >= 40000 or null)];
        foreach (FlowFamily family in (FlowFamily[])[FlowFamily.IPv4, FlowFamily.IPv6])
        {
            FlowProtocol icmp = family == FlowFamily.IPv4 ? FlowProtocol.Icmp : FlowProtocol.IcmpV6;
            Assert.Equal(TcpState.TimeWait, Single(flows, family, 40001).TcpState);
            Assert.Equal((TcpState.Close, 1, 1),
                (Single(flows, family, 40002).TcpState, (int)Single(flows, family, 40002).Packets!, (int)Single(flows, family, 40002).ReplyPackets!));
            Assert.Equal((TcpState.SynSent, FlowState.New), (Single(flows, family, 40003).TcpState, Single(flows, family, 40003).State));
            Assert.Equal((1, 1, FlowState.Replied), Facts(Single(flows, family, 40004)));
            Assert.Equal((1, 0, FlowState.New), Facts(Single(flows, family, 40005)));
            Assert.Equal((3, 3, FlowState.Replied), Facts(Single(flows, family, 40006)));
            Assert.Equal((1, 0, FlowState.New), Facts(Single(flows, family, 40008)));
            Assert.Equal((1, 1, FlowState.Replied), Facts(Assert.Single(flows, flow => flow.Protocol == icmp && flow.IcmpId == 40007)));
        }

        Assert.Equal((1, 0, FlowState.New), Facts(Single(flows, FlowFamily.IPv4, 40009)));
    }

    private static void SpeakEverything(TestNetwork network)
    {
        foreach (FlowFamily family in (FlowFamily[])[FlowFamily.IPv4, FlowFamily.IPv6])
        {
            IPAddress server = TestNetwork.ServerSide.Host(family);
            FlowProtocol icmp = family == FlowFamily.IPv4 ? FlowProtocol.Icmp : FlowProtocol.IcmpV6;
            using EchoServer? tcp = EchoServer.Start(network.Server, FlowProtocol.Tcp, server, Server);
            using EchoServer? udp = EchoServer.Start(network.Server, FlowProtocol.Udp, server, Server);
            TestClient.Exchange(network.Client, FlowProtocol.Tcp, From(family, 40001), To(family, Server));
            TestClient.Send(network.Client, FlowProtocol.Tcp, From(family, 40002), To(family, Nobody));
            TestClient.Send(network.Client, FlowProtocol.Tcp, From(family, 40003), new IPEndPoint(Missing(family), Server));
            TestClient.Exchange(network.Client, FlowProtocol.Udp, From(family, 40004), To(family, Server));
            TestClient.Send(network.Client, FlowProtocol.Udp, From(family, 40005), To(family, Nobody));
            TestClient.Exchange(network.Client, FlowProtocol.Udp, From(family, 40006), To(family, Server), BeyondOnePacket);
            TestClient.Exchange(network.Client, icmp, From(family, 40007), To(family, 0));
        }

        TestClient.Send(network.Client, FlowProtocol.Sctp, From(FlowFamily.IPv4, 40010), To(FlowFamily.IPv4, Server));
        PacketCapture.SendDatagrams(network.Client, From(FlowFamily.IPv4, 40008), new IPEndPoint(IPAddress.Parse("192.0.2.255"), Nobody));
        PacketCapture.SendDatagrams(network.Client, From(FlowFamily.IPv4, 40009), new IPEndPoint(IPAddress.Parse("239.1.2.3"), Nobody));
        PacketCapture.SendDatagrams(network.Client, From(FlowFamily.IPv6, 40008), new IPEndPoint(IPAddress.Parse("ff0e::1:2"), Nobody));
    }

    private static IPEndPoint From(FlowFamily family, int port) => new(TestNetwork.ClientSide.Host(family), port);

    private static IPEndPoint To(FlowFamily family, int port) => new(TestNetwork.ServerSide.Host(family), port);

    // An address of the server's cable that nobody has.
    private static IPAddress Missing(FlowFamily family) => IPAddress.Parse(family == FlowFamily.IPv4 ? "198.51.100.99" : "2001:db8:2::99");

    private static Flow Single(Flow[] flows, FlowFamily family, int port) => Assert.Single(flows, flow => flow.Family == family && flow.SrcPort == port);

    private static (int Packets, int Replies, FlowState State) Facts(Flow flow) => ((int)flow.Packets!, (int)flow.ReplyPackets!, flow.State);

    private static IEnumerable<KeyValuePair<string, long>> CountsOf(LiveCapture capture) => capture.Flows
        .GroupBy(TcpdumpText.NameOf)
        .Select(same => KeyValuePair.Create(same.Key, same.Sum(flow => (long)(flow.Packets + flow.ReplyPackets)!)));

    private static bool IsOfTest(KeyValuePair<string, long> each) => !each.Key.StartsWith("IcmpV6", StringComparison.Ordinal);

    private static string Describe(IEnumerable<KeyValuePair<string, long>> counts) =>
        string.Join('\n', counts.Select(each => string.Create(CultureInfo.InvariantCulture, $"{each.Value,3} {each.Key}")).Order(StringComparer.Ordinal));

    private static string Describe(LiveCapture capture) => string.Join('\n', capture.Flows
        .Where(flow => IsOfTest(KeyValuePair.Create(TcpdumpText.NameOf(flow), 0L)))
        .Select(flow =>
            $"{flow.Protocol} {flow.SrcAddress} {flow.SrcPort} {flow.DstAddress} {flow.DstPort} {flow.IcmpId} {flow.State} {flow.TcpState} {flow.Packets} " +
                $"{flow.Bytes} {flow.ReplyPackets} {flow.ReplyBytes}")
        .Order(StringComparer.Ordinal));
}
