using Conntracker.Core.Native;
using Xunit;
using static Conntracker.Core.Native.NftablesConstants;

namespace Conntracker.Tests.Unit;

/// <summary>Which flow a traced packet belongs to, wherever on its way its header was seen, and whatever the kernel leaves out.</summary>
public sealed class TraceJoinTests : IDisposable
{
    private const string Rules = """
        table inet fw { # handle 1
        	chain forward { # handle 1
        		type filter hook forward priority filter; policy drop;
        		ct state established accept # handle 4
        		tcp dport 443 accept # handle 5
        		tcp dport 22 drop # handle 6
        	}
        	chain after { # handle 2
        		type filter hook postrouting priority filter; policy accept;
        	}
        }
        """;

    private readonly TraceProbe _probe = new();

    public TraceJoinTests() => _probe.Rules(Rules);

    public void Dispose() => _probe.Dispose();

    [Theory]
    [InlineData("the trace comes before NEW", 7, false)]
    [InlineData("the trace comes behind NEW", 7, true)]
    [InlineData("before NEW, no connection ids", 0, false)]
    [InlineData("behind NEW, no connection ids", 0, true)]
    public void A_flow_is_one_flow_with_its_steps_whichever_is_told_first(string name, uint ct, bool isBehind)
    {
        Conn conn = new() { Id = 7 };
        if (isBehind)
        {
            _probe.Event(conn.New());
        }

        _probe.Packet(ct: ct).Forwarded(5);
        if (!isBehind)
        {
            _probe.Event(conn.New());
        }

        _probe.Packet(new PacketHeader().Answer(), ct, isReply: true).Forwarded(4);
        Flow flow = _probe.Flow();
        Assert.True(flow is { Verdict: FlowVerdict.Accepted, VerdictRule: "inet fw forward #2: tcp dport 443 accept", Connections: 1, ConntrackId: 7 },
            $"{name}: {flow.VerdictRule}");
        Assert.Equal(["fw forward Rule 2 accept x1", "fw forward Rule 1 accept x1"], TraceProbe.Steps(flow));
    }

    [Theory]
    [InlineData("with connection ids", 7)]
    [InlineData("without, as before Linux 6.17", 0)]
    public void DNAT_and_SNAT_at_once_do_not_break_the_join(string name, uint ct)
    {
        // O: client to virtual address; R: server to masqueraded address.
        PacketHeader original = new() { Dst = "203.0.113.9", DstPort = 80 };
        PacketHeader between = original with { Dst = "198.51.100.2", DstPort = 443 };
        PacketHeader after = between with { Src = "198.51.100.1", SrcPort = 50000 };
        _probe.Packet(original, ct).First().Tracked().Nat(between).Rule("inet fw forward", 5).QuietNat(after).Policy("inet fw after").Last();
        _probe.Event(NatMessage(ct == 0 ? 1 : ct));
        PacketHeader[] answers = [after.Answer(), between.Answer(), original.Answer()];
        _probe.Packet(answers[0], ct, isReply: true)
            .First().Tracked().QuietNat(answers[1]).Rule("inet fw forward", 4).QuietNat(answers[2]).Policy("inet fw after").Last();

        // Lines of iptables have nothing but the header as it is at their place.
        Flow flow = _probe.Flow();
        Assert.True(flow is { Verdict: FlowVerdict.Accepted, IsNat: true }, name);
        Assert.Equal(["fw forward Rule 2 accept x1", "fw after Policy 1 accept x2", "fw forward Rule 1 accept x1"], TraceProbe.Steps(flow));
        Assert.Equal("203.0.113.9", flow.DstAddress.ToString());
    }

    [Theory]
    [InlineData("O", 0)]
    [InlineData("client to server", 1)]
    [InlineData("R reversed", 2)]
    [InlineData("R", 3)]
    [InlineData("server to client", 4)]
    [InlineData("O reversed", 5)]
    public void A_packet_whose_first_messages_were_lost_is_joined_by_whatever_header_it_has_left(string name, int which)
    {
        PacketHeader original = new() { Dst = "203.0.113.9", DstPort = 80 };
        PacketHeader between = original with { Dst = "198.51.100.2", DstPort = 443 };
        PacketHeader after = between with { Src = "198.51.100.1", SrcPort = 50000 };
        _probe.Packet(original).Forwarded(5);
        _probe.Event(NatMessage(1));
        PacketHeader[] headers = [original, between, after, after.Answer(), between.Answer(), original.Answer()];
        _probe.Packet(headers[which]).Rule("inet fw forward", 4).Last();
        Assert.True(TraceProbe.Steps(_probe.Flow()) is [_, "fw forward Rule 1 accept x1"], $"{name}: {string.Join(", ", TraceProbe.Steps(_probe.Flows()[0]))}");
    }

    [Fact]
    public void A_packet_first_seen_behind_DNAT_is_no_flow_of_its_own_once_the_connection_is_told()
    {
        // Its first messages were lost, or a rule of the user began the trace there.
        _probe.Packet(new PacketHeader { SrcPort = 40000, DstPort = 443 }, ct: 9).Tracked().Rule("inet fw forward", 5).Last();
        _probe.Event(NatMessage(9));
        Flow flow = _probe.Flow();
        Assert.Equal(("203.0.113.9", FlowVerdict.Accepted), (flow.DstAddress.ToString(), flow.Verdict));
        Assert.Single(flow.Trace);
    }

    [Fact]
    public void Steps_before_the_connection_is_known_are_kept_for_its_zone()
    {
        _probe.Packet(ct: 9).First().Tracked().Rule("inet fw forward", 5).Last();
        _probe.Event(new Conn { Id = 9, Zone = 5 }.New());
        _probe.Packet(new PacketHeader().Answer(), ct: 9, isReply: true).First().Tracked().Rule("inet fw forward", 4).Last();
        Flow flow = _probe.Flow();
        Assert.Equal((5, FlowVerdict.Accepted), (flow.Zone, flow.Verdict));
        Assert.Equal(2, flow.Trace.Count);
    }

    [Fact]
    public void Steps_of_a_packet_on_its_way_while_its_flow_is_found_in_a_zone_are_not_lost()
    {
        TracedPacket packet = _probe.Packet(ct: 9).First().Tracked().Rule("inet fw forward", 5);
        _probe.Event(new Conn { Id = 9, Zone = 5 }.New());
        packet.Policy("inet fw after").Last();
        Flow flow = _probe.Flow();
        Assert.Equal(["fw forward Rule 2 accept x1", "fw after Policy 1 accept x1"], TraceProbe.Steps(flow));
        Assert.Equal(FlowVerdict.Accepted, flow.Verdict);
    }

    [Fact]
    public void Old_kernels_without_ids_find_flows_in_a_zone()
    {
        _probe.Event(new Conn { Id = 9, Zone = 5 }.New());
        _probe.Packet().Forwarded(5);
        _probe.Packet(new PacketHeader().Answer()).Forwarded(4);
        Assert.Equal(2, _probe.Flow().Trace.Count);
    }

    [Theory]
    [InlineData("at once", 0)]
    [InlineData("after more than a second", 1500)]
    public void A_trace_id_that_is_used_again_is_another_packet(string name, int pause)
    {
        // The first one ends nowhere: iptables dropped it, or its last messages were lost.
        _probe.Packet(ct: 7).First().Tracked().Rule("inet fw forward", 5);
        _probe.Now = _probe.Now.AddMilliseconds(pause);
        PacketHeader other = new() { SrcPort = 41000, DstPort = 22 };
        TracedPacket second = new(_probe, other, 8, isReply: false) { Id = 1 };
        second.First().Tracked().Rule("inet fw forward", 6, NF_DROP);
        List<Flow> flows = _probe.Flows();
        Assert.True(flows.Count == 2, name);
        Assert.Equal(["fw forward Rule 2 accept x1"], TraceProbe.Steps(flows.Single(each => each.SrcPort == 40000)));
        Assert.Equal(FlowVerdict.Dropped, flows.Single(each => each.SrcPort == 41000).Verdict);
    }

    [Theory]
    [InlineData("at once, told by the connection id", 8, 0)]
    [InlineData("after more than a second, without ids", 0, 1500)]
    public void A_trace_id_that_is_used_again_by_a_packet_whose_beginning_was_lost_is_another_packet(string name, uint ct, int pause)
    {
        _probe.Packet(ct: ct == 0 ? 0 : 7u).First().Tracked().Rule("inet fw forward", 5);
        _probe.Now = _probe.Now.AddMilliseconds(pause);
        PacketHeader other = new() { SrcPort = 41000, DstPort = 22 };
        new TracedPacket(_probe, other, ct, isReply: false) { Id = 1 }.Tracked().Rule("inet fw forward", 6, NF_DROP);
        _probe.Flush();
        Assert.True(_probe.Flows().Count == 2, $"{name}: {_probe.Flows().Count} flows");
        Assert.Single(_probe.Flows().Single(each => each.SrcPort == 41000).Trace);
    }

    [Fact]
    public void A_packet_is_counted_once_though_two_captures_trace_it()
    {
        _probe.Event(new Conn { Id = 7 }.New());
        _probe.Tracing.Requests.Add("everything", flow: null, FlowQuery.All, _probe.Now.UtcTicks, until: null);
        TracedPacket packet = _probe.Packet(ct: 7).First();
        OtherCapture(packet.Id, "prerouting");
        packet.Tracked().Rule("inet fw forward", 5).Last();
        OtherCapture(packet.Id, "postrouting");
        Assert.Equal((1, 1), (_probe.Tracing.Requests.All[0].Packets, _probe.Tracing.Requests.All[0].Steps));
        Assert.Equal(["fw forward Rule 2 accept x1"], TraceProbe.Steps(_probe.Flow()));
    }

    [Fact]
    public void More_steps_than_wait_for_an_unknown_flow_are_cut_and_the_flow_is_there()
    {
        TracedPacket packet = _probe.Packet().First();
        for (ulong handle = 100; handle < 200; handle++)
        {
            packet.Rule("inet fw forward", handle, NFT_CONTINUE);
        }

        packet.Last();
        Assert.Equal((64, true), (_probe.Flow().Trace.Count, _probe.Flow().TraceIncomplete));
        Assert.Equal(1, _probe.Collector.Counters.TracesIncomplete);
    }

    [Fact]
    public void IPv6_with_extension_headers_is_joined_by_its_connection()
    {
        _probe.Event(new Conn { Id = 7, Src = "2001:db8:1::2", Dst = "2001:db8:2::2" }.New());
        byte[] network = new PacketHeader { Src = "2001:db8:1::2", Dst = "2001:db8:2::2", Protocol = 0 }.Network();
        NftTrace message = new() { Handle = 5, ConntrackId = 7, Packet = new PacketHeader { Src = "2001:db8:1::2", Dst = "2001:db8:2::2", Protocol = 0 } };
        Assert.Equal(0, network[6]);
        _probe.Trace(message);
        Assert.Single(_probe.Flow().Trace);
    }

    private void OtherCapture(uint id, string chain) => _probe.Trace(new NftTrace
    {
        Table = "conntracker_2",
        Chain = chain,
        Type = NFT_TRACETYPE_POLICY,
        Id = id,
        Packet = new PacketHeader(),
        ConntrackId = chain == "prerouting" ? 0 : 7u,
    });

    // O = 192.0.2.2:40000 > 203.0.113.9:80, R = 198.51.100.2:443 > 198.51.100.1:50000.
    private static byte[] NatMessage(uint id) => new Conn
    {
        Id = id,
        Dst = "203.0.113.9",
        DstPort = 80,
        ReplySrc = "198.51.100.2",
        ReplySrcPort = 443,
        ReplyDst = "198.51.100.1",
        ReplyDstPort = 50000,
        Status = ConntrackConstants.IPS_CONFIRMED | ConntrackConstants.IPS_DST_NAT | ConntrackConstants.IPS_SRC_NAT,
    }.New();
}
