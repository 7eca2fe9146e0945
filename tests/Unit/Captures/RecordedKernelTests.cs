using System.Globalization;
using Conntracker.Core.Captures;
using Conntracker.Core.Conntrack;
using Conntracker.Core.Flows;
using Conntracker.Core.Native;
using Conntracker.Core.Netlink;
using Conntracker.Core.Recording;
using Xunit;

namespace Conntracker.Tests.Unit;

/// <summary>What the engine reads from bytes that a real kernel sent, beside what conntrack(8) printed of the same connections.</summary>
public class RecordedKernelTests
{
    private static readonly Lazy<List<Flow>> s_flows = new(() => Fixture.Replay(Fixture.Traffic));

    /// <summary>A name, and the flow: tuple | reply tuple | state | packets/bytes of both directions | mark, zone, connections.</summary>
    public static TheoryData<string, string> Expected => new()
    {
        { "TCP, closed", "Tcp 192.0.2.2:40001 > 198.51.100.2:80 | 198.51.100.2:80 > 192.0.2.2:40001 | Closed TimeWait replied Forward | 6/325 4/221 | 0 0 1" },
        { "TCP, open, mark set by its second packet",
            "Tcp 192.0.2.2:40002 > 198.51.100.2:443 | 198.51.100.2:443 > 192.0.2.2:40002 | Assured Established replied Forward | 4/221 3/169 | a1b2c3d4 0 1" },
        { "TCP, open before the capture, so not counted",
            "Tcp 192.0.2.2:40000 > 198.51.100.2:443 | 198.51.100.2:443 > 192.0.2.2:40000 | Assured Established replied Forward | - - | a1b2c3d4 0 1" },
        { "TCP, made by netlink before the capture", "Tcp 10.9.0.1:1111 > 10.9.0.2:22 | 10.9.0.2:22 > 10.9.0.1:1111 | New SynSent Forward | - - | 0 0 1" },
        { "TCP over IPv6", "Tcp 2001:db8:1::2:40003 > 2001:db8:2::2:8443 | 2001:db8:2::2:8443 > 2001:db8:1::2:40003 | Assured TimeWait replied Forward | " +
            "6/445 4/301 | 0 0 1" },
        { "TCP, nobody there", "Tcp 192.0.2.2:40014 > 198.51.100.9:80 | 198.51.100.9:80 > 192.0.2.2:40014 | New SynSent Forward | 1/60 0/0 | 0 0 1" },
        { "TCP, the same tuple twice",
            "Tcp 192.0.2.2:40016 > 198.51.100.2:80 | 198.51.100.2:80 > 192.0.2.2:40016 | Assured TimeWait replied Forward | 12/650 8/442 | 0 0 2" },
        { "TCP from the firewall itself",
            "Tcp 198.51.100.1:40020 > 198.51.100.2:80 | 198.51.100.2:80 > 198.51.100.1:40020 | Assured TimeWait replied Out | 6/325 4/221 | 0 0 1" },
        { "DNAT", "Tcp 192.0.2.2:40008 > 192.0.2.1:8080 | 198.51.100.2:80 > 192.0.2.2:40008 | Assured TimeWait replied nat Forward | 6/325 4/221 | 0 0 1" },
        { "DNAT to the firewall itself",
            "Tcp 192.0.2.2:40010 > 192.0.2.1:2222 | 192.0.2.1:80 > 192.0.2.2:40010 | Assured TimeWait replied nat In | 6/325 4/221 | 0 0 1" },
        { "DNAT, UDP, closed", "Udp 192.0.2.2:40009 > 192.0.2.1:5300 | 198.51.100.2:53 > 192.0.2.2:40009 | Closed replied nat Forward | 1/36 1/36 | 0 0 1" },
        { "SNAT of address and port",
            "Udp 192.0.2.2:40004 > 198.51.100.2:53 | 198.51.100.2:53 > 198.51.100.1:50004 | Replied replied nat Forward | 1/36 1/36 | 0 0 1" },
        { "UDP over IPv6", "Udp 2001:db8:1::2:40005 > 2001:db8:2::2:5353 | 2001:db8:2::2:5353 > 2001:db8:1::2:40005 | Replied replied Forward | " +
            "1/56 1/56 | 0 0 1" },
        { "UDP, unanswered", "Udp 192.0.2.2:40006 > 198.51.100.2:9 | 198.51.100.2:9 > 192.0.2.2:40006 | New Forward | 1/36 0/0 | 0 0 1" },
        { "UDP in zone 7", "Udp 192.0.2.2:40007 > 198.51.100.2:7007 | 198.51.100.2:7007 > 192.0.2.2:40007 | Replied replied Forward | 1/36 1/36 | 0 7 1" },
        { "UDP broadcast", "Udp 192.0.2.2:40015 > 192.0.2.255:9 | 192.0.2.255:9 > 192.0.2.2:40015 | New In | 1/29 0/0 | 0 0 1" },
        { "UDP over loopback", "Udp 127.0.0.1:40021 > 127.0.0.1:5300 | 127.0.0.1:5300 > 127.0.0.1:40021 | New Local | 1/36 0/0 | 0 0 1" },
        { "ICMP", "Icmp 192.0.2.2 > 198.51.100.2 | 198.51.100.2 > 192.0.2.2 | Replied 8/0/4711 replied Forward | 1/84 1/84 | 0 0 1" },
        { "ICMPv6", "IcmpV6 2001:db8:1::2 > 2001:db8:2::2 | 2001:db8:2::2 > 2001:db8:1::2 | Replied 128/0/4712 replied Forward | 1/104 1/104 | 0 0 1" },
        { "SCTP, a whole handshake",
            "Sctp 192.0.2.2:40012 > 198.51.100.2:9899 | 198.51.100.2:9899 > 192.0.2.2:40012 | Assured Established replied Forward | 2/92 2/88 | 0 0 1" },
        { "SCTP, unanswered", "Sctp 192.0.2.2:40013 > 198.51.100.9:9900 | 198.51.100.9:9900 > 192.0.2.2:40013 | New Closed Forward | 1/52 0/0 | 0 0 1" },
        { "SCTP, made and removed by netlink",
            "Sctp 10.9.0.1:2905 > 10.9.0.3:2905 | 10.9.0.3:2905 > 10.9.0.1:2905 | Closed Established Forward | 0/0 0/0 | 0 0 1" },
        { "UDP-Lite, with a mark", "UdpLite 10.9.0.1:700 > 10.9.0.4:701 | 10.9.0.4:701 > 10.9.0.1:700 | New Forward | 0/0 0/0 | 9 0 1" },
        { "GRE", "Gre 192.0.2.2 > 198.51.100.2 | 198.51.100.2 > 192.0.2.2 | New Forward | 1/48 0/0 | 0 0 1" },
        { "Protocol 99", "99 192.0.2.2 > 198.51.100.2 | 198.51.100.2 > 192.0.2.2 | Replied replied Forward | 1/31 1/31 | 0 0 1" },
        { "DCCP, which this kernel tracks without ports", "Dccp 10.9.0.1:0 > 10.9.0.5:0 | 10.9.0.5:0 > 10.9.0.1:0 | New None Forward | 0/0 0/0 | 0 0 1" },
    };

    [Theory]
    [MemberData(nameof(Expected))]
    public void A_recorded_connection_reads_as_conntrack_prints_it(string name, string expected)
    {
        string tuple = expected[..expected.IndexOf('|', StringComparison.Ordinal)];
        string? found = s_flows.Value.Select(Describe).SingleOrDefault(each => each.StartsWith(tuple, StringComparison.Ordinal));
        Assert.True(expected == found, $"{name}\nexpected {expected}\nfound    {found ?? "no such flow"}");
    }

    [Fact]
    public void A_recording_holds_no_flow_but_the_expected_ones() => Assert.Equal(Expected.Count, s_flows.Value.Count);

    [Fact]
    public void The_receipt_of_a_recording_counts_the_events_that_conntrack_printed()
    {
        using CaptureSession session = CaptureSession.Start(new CaptureOptions { ReplayPath = Fixture.Traffic });
        Assert.Equal(new CaptureCounters(Events: 76, Lost: 0, Overruns: 0, Repaired: 0, Malformed: 0, Folded: 0) { EventlessFlows = 2 }, session.Counters);
        Assert.Empty(session.Notices.All());
    }

    [Theory]
    [InlineData("closed by its DESTROY", 40001, 1795231324.178202, 1795231327.770117)]
    [InlineData("first seen with its first connection", 40016, 1795231327.247970, null)]
    [InlineData("open", 40020, 1795231327.701353, null)]
    public void First_and_last_seen_are_when_the_kernel_sent_the_events(string name, int port, double first, double? last)
    {
        const double Tolerance = 0.05;
        Flow flow = s_flows.Value.Single(each => each.SrcPort == port);
        Assert.True(Math.Abs(Seconds(flow.FirstSeen) - first) < Tolerance, $"{name}: first seen {Seconds(flow.FirstSeen):F6}");
        Assert.True(last is null || Math.Abs(Seconds(flow.LastSeen) - last.Value) < Tolerance, $"{name}: last seen {Seconds(flow.LastSeen):F6}");
        Assert.True(flow.LastSeen >= flow.FirstSeen);
    }

    [Fact]
    public void A_flow_known_only_from_a_dump_began_when_the_kernel_says_it_began()
    {
        using FlowCollector collector = new(CaptureOptions.MinimumOfMaximumFlows, []);
        List<Frame> dump = Fixture.Frames(Fixture.Traffic).FindAll(each => each.Kind is MessageKind.ConntrackDump or MessageKind.DumpRequested);
        dump.ForEach(each => collector.Handle(each.Kind, each.Time, each.Data));

        Flow flow = CollectorProbe.FlowsOf(collector).Single(each => each.SrcPort == 40020);
        Assert.InRange(Seconds(flow.FirstSeen), 1795231327.65, 1795231327.701353);
        Assert.True(flow.LastSeen > flow.FirstSeen, "Last seen is the dump's time.");
    }

    [Fact]
    public void A_protocol_filter_keeps_only_its_protocols()
    {
        using CaptureSession session = CaptureSession.Start(
            new CaptureOptions { ReplayPath = Fixture.Traffic, Protocols = [FlowProtocol.Sctp, FlowProtocol.Icmp] });
        Assert.Equal(["Icmp", "Sctp", "Sctp", "Sctp"], session.GetFlows(FlowQuery.All).Select(each => each.Protocol.ToString()).Order());
    }

    [Theory]
    [InlineData(FlowProtocol.Sctp, 4, null, SctpState.Established, null)]
    [InlineData(FlowProtocol.Dccp, 4, null, null, DccpState.Open)]
    [InlineData(FlowProtocol.Tcp, 9, TcpState.SynSent2, null, null)]
    public void The_state_is_told_in_the_terms_of_its_protocol(FlowProtocol protocol, byte state, TcpState? tcp, SctpState? sctp, DccpState? dccp)
    {
        // DCCP as kernels before 6.17 tell it, with ports and a state; the recording's kernel has neither.
        using CollectorProbe probe = new();
        probe.Event(new Conn { Protocol = protocol, State = state }.New());
        Assert.Equal((tcp, sctp, dccp, (ushort?)443), (probe.Flow().TcpState, probe.Flow().SctpState, probe.Flow().DccpState, probe.Flow().DstPort));
    }

    [Theory]
    [InlineData(ConntrackConstants.IPS_OFFLOAD, true)]
    [InlineData(ConntrackConstants.IPS_HW_OFFLOAD, true)]
    [InlineData(ConntrackConstants.IPS_ASSURED, false)]
    public void An_offloaded_flow_says_so(uint status, bool expected)
    {
        using CollectorProbe probe = new();
        probe.Event(new Conn { Status = status }.New());
        Assert.Equal(expected, probe.Flow().Offloaded);
    }

    [Fact]
    public void A_zone_of_one_direction_only_is_the_flows_zone()
    {
        // ct original zone set 5: the zone stands inside the original tuple.
        byte[] message = new Conn().New();
        NetlinkWriter writer = new(new byte[512]);
        writer.WriteBytes(ConntrackConstants.CTA_TUPLE_ZONE, [0, 5]);
        byte[] zoned = InsertIntoOriginalTuple(message, writer.Written.ToArray());

        FlowUpdate decoded = default;
        NetlinkMessageReader reader = new(zoned);
        Assert.True(reader.TryRead(out NetlinkMessage first));
        Assert.Equal(DecodeResult.Decoded, ConntrackDecoder.Decode(in first, fromDump: false, ref decoded));
        Assert.Equal(5, decoded.Key.Zone);
    }

    private static byte[] InsertIntoOriginalTuple(byte[] message, byte[] attribute)
    {
        // The original tuple is the first attribute, behind nlmsghdr and nfgenmsg.
        const int Tuple = 20;
        int length = BitConverter.ToUInt16(message, Tuple);
        byte[] longer = [.. message[..(Tuple + length)], .. attribute, .. message[(Tuple + length)..]];
        BitConverter.TryWriteBytes(longer.AsSpan(0), longer.Length);
        BitConverter.TryWriteBytes(longer.AsSpan(Tuple), (ushort)(length + attribute.Length));
        return longer;
    }

    private static double Seconds(DateTimeOffset? time) => (time!.Value - DateTimeOffset.UnixEpoch).TotalSeconds;

    private static string Describe(Flow flow) => string.Create(
        CultureInfo.InvariantCulture,
        $"{flow.Protocol} {flow.SrcAddress}{Port(flow.SrcPort)} > {flow.DstAddress}{Port(flow.DstPort)} | " +
            $"{flow.ReplySrcAddress}{Port(flow.ReplySrcPort)} > {flow.ReplyDstAddress}{Port(flow.ReplyDstPort)} | " +
            $"{Words(flow.State, flow.TcpState, flow.SctpState, flow.DccpState, Icmp(flow), Flags(flow), flow.Direction)} | " +
            $"{Count(flow.Packets, flow.Bytes)} {Count(flow.ReplyPackets, flow.ReplyBytes)} | {flow.Mark:x} {flow.Zone} {flow.Connections}");

    private static string? Flags(Flow flow) => (flow.Confirmed, flow.IsNat) switch
    {
        (true, true) => "replied nat",
        (true, false) => "replied",
        (false, true) => "nat",
        _ => null,
    };

    private static string Words(params object?[] words) => string.Join(' ', words.Where(each => each is not null));

    private static string Port(ushort? port) => port is null ? "" : $":{port}";

    private static string Count(ulong? packets, ulong? bytes) => packets is null ? "-" : $"{packets}/{bytes}";

    private static string? Icmp(Flow flow) => flow.IcmpType is null ? null : $"{flow.IcmpType}/{flow.IcmpCode}/{flow.IcmpId}";
}
