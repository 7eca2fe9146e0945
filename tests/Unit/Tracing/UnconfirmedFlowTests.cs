using System.Net;
using Conntracker.Core.Native;
using Conntracker.Core.Recording;
using Xunit;
using static Conntracker.Core.Native.NftablesConstants;

namespace Conntracker.Tests.Unit;

/// <summary>Flows that rules drop, reject or exempt from connection tracking: only traces tell of them.</summary>
public sealed class UnconfirmedFlowTests : IDisposable
{
    private const string Rules = """
        table inet fw { # handle 1
        	chain forward { # handle 1
        		type filter hook forward priority filter; policy drop;
        		tcp dport 443 accept # handle 5
        		tcp dport 22 drop # handle 6
        		tcp dport 25 reject with tcp reset # handle 7
        	}
        	chain pre { # handle 2
        		type filter hook prerouting priority raw; policy accept;
        		tcp dport 23 drop # handle 8
        		notrack # handle 9
        	}
        }
        """;

    private readonly TraceProbe _probe = new();

    public UnconfirmedFlowTests() => _probe.Rules(Rules);

    public void Dispose() => _probe.Dispose();

    [Theory]
    [InlineData("dropped", 6, FlowVerdict.Dropped)]
    [InlineData("rejected", 7, FlowVerdict.Rejected)]
    public void A_flow_that_a_rule_ends_is_a_flow_at_once(string name, ulong handle, FlowVerdict verdict)
    {
        _probe.Packet(ct: 7).First().Tracked().Rule("inet fw forward", handle, NF_DROP);
        Flow flow = _probe.Flow();
        Assert.True(flow.Verdict == verdict, name);
        Assert.Equal((FlowState.New, false, (ushort?)40000, "198.51.100.2"), (flow.State, flow.Confirmed, flow.SrcPort, flow.ReplySrcAddress?.ToString()));
    }

    [Fact]
    public void A_flow_that_is_dropped_before_connection_tracking_is_a_flow()
    {
        _probe.Packet().First().Rule("inet fw pre", 8, NF_DROP);
        Assert.Equal((FlowVerdict.Dropped, "inet fw pre #1: tcp dport 23 drop"), (_probe.Flow().Verdict, _probe.Flow().VerdictRule));
    }

    [Fact]
    public void Forged_packets_that_a_rule_drops_take_no_answered_flow_from_the_table()
    {
        Conn[] legitimate = [.. Enumerable.Range(1, 100).Select(i => new Conn { Src = $"10.1.0.{i}", Status = Conn.Replied | ConntrackConstants.IPS_ASSURED })];
        foreach (Conn conn in legitimate)
        {
            _probe.Event(conn.New());
            _probe.Event(conn.Destroy());
        }

        const int Forged = 5 * CaptureOptions.MinimumOfMaximumFlows;
        Random random = new(5);
        for (int i = 0; i < Forged; i++)
        {
            PacketHeader header = new() { Src = new IPAddress(random.NextInt64(1L + uint.MaxValue)).ToString(), DstPort = (ushort)random.Next(65536) };
            _probe.Packet(header).First().Rule("inet fw pre", 8, NF_DROP);
            Assert.True(_probe.Collector.FlowCount <= CaptureOptions.MinimumOfMaximumFlows);
        }

        List<Flow> flows = _probe.Flows();
        Assert.Equal(legitimate.Length + Forged, flows.Sum(each => each.Connections));
        Assert.Equal(
            legitimate.Select(each => each.Src).Order(),
            flows.Where(each => each.Confirmed && each.Folding == FlowFolding.None).Select(each => each.SrcAddress.ToString()).Order());
    }

    [Fact]
    public void Attempts_that_are_dropped_again_and_again_are_one_flow_seen_last_with_the_last()
    {
        for (uint attempt = 1; attempt <= 3; attempt++)
        {
            _probe.Now = _probe.Now.AddSeconds(1);
            _probe.Packet(ct: 70 + attempt).First().Tracked().Rule("inet fw forward", 6, NF_DROP);
        }

        Flow flow = _probe.Flow();
        Assert.Equal(3, flow.Trace.Single().Packets);
        Assert.True(flow.LastSeen - flow.FirstSeen > TimeSpan.FromSeconds(2));
    }

    [Fact]
    public void A_flow_without_connection_tracking_is_accepted_and_answered()
    {
        _probe.Packet().First().Rule("inet fw pre", 9, NFT_CONTINUE).Rule("inet fw forward", 5).Last();
        _probe.Packet(new PacketHeader().Answer()).First().Rule("inet fw forward", 5).Last();
        Flow flow = _probe.Flow();
        Assert.Equal((FlowVerdict.Accepted, true, 2), (flow.Verdict, flow.Confirmed, flow.Trace.Count));
    }

    [Fact]
    public void The_answer_of_the_firewall_to_what_it_rejects_is_no_answer_of_the_flow()
    {
        // The RST goes out before the rule that sends it is reported.
        TracedPacket syn = _probe.Packet().First().Tracked();
        _probe.Packet(new PacketHeader().Answer()).First("output").Last();
        syn.Rule("inet fw forward", 7, NF_DROP);
        Assert.Equal((FlowVerdict.Rejected, false), (_probe.Flow().Verdict, _probe.Flow().Confirmed));
    }

    [Fact]
    public void A_flow_that_is_confirmed_later_keeps_what_was_traced_of_it()
    {
        _probe.Packet(ct: 7).First().Tracked().Rule("inet fw forward", 6, NF_DROP);
        DateTimeOffset? first = _probe.Flow().FirstSeen;
        _probe.Event(new Conn { Id = 8 }.New());
        Flow flow = _probe.Flow();
        Assert.Equal((8u, 1u, FlowVerdict.Dropped, first), (flow.ConntrackId, flow.Connections, flow.Verdict, flow.FirstSeen));
        _probe.Event(new Conn { Id = 8 }.Destroy());
        Assert.Equal(FlowState.Closed, _probe.Flow().State);
    }

    [Fact]
    public void A_dump_does_not_close_what_no_dump_can_show()
    {
        _probe.Packet().First().Rule("inet fw forward", 6, NF_DROP);
        _probe.Event(new Conn { SrcPort = 2 }.New());
        _probe.Now = _probe.Now.AddSeconds(1);
        _probe.Take(MessageKind.DumpRequested, [(byte)DumpReason.Repair]);
        _probe.Take(MessageKind.ConntrackDump, CollectorProbe.DumpEnd());
        Assert.Equal([FlowState.Closed, FlowState.New], _probe.Flows().OrderBy(each => each.SrcPort).Select(each => each.State));
    }

    [Theory]
    [InlineData("an error about a ping", 0, true)]
    [InlineData("about a ping, with connection ids", 7, true)]
    [InlineData("cut off before what it is about, with connection ids", 7, false)]
    public void An_ICMP_error_is_no_flow_of_its_own_but_a_packet_of_the_flow_that_it_is_about(string name, uint ct, bool hasCause)
    {
        PacketHeader ping = new() { Protocol = FlowProtocol.Icmp, SrcPort = 4711, DstPort = 0 };
        _probe.Packet(ping, ct).First().Tracked().Rule("inet fw forward", 5).Last();
        _probe.Event(new Conn { Protocol = FlowProtocol.Icmp, SrcPort = 4711, DstPort = 0, Id = 7 }.New());
        PacketHeader error = new()
        {
            Protocol = FlowProtocol.Icmp,
            Src = "203.0.113.1",
            Dst = "192.0.2.2",
            Type = 11,
            SrcPort = 0,
            Cause = hasCause ? ping : null
        };
        _probe.Packet(error, ct, isReply: true).First().Tracked().Policy("inet fw pre").Last();
        _probe.Flush();
        Assert.True(_probe.Flows().Count == 1, $"{name}: {string.Join("; ", _probe.Flows())}");
        Assert.Equal(2, _probe.Flow().Trace.Count);
    }

    [Fact]
    public void An_ICMP_error_about_nothing_known_is_shown_when_it_is_dropped()
    {
        _probe.Packet(new PacketHeader { Protocol = FlowProtocol.Icmp, Type = 3, SrcPort = 0 }).First().Rule("inet fw forward", 6, NF_DROP);
        Assert.Equal((FlowVerdict.Dropped, (byte?)3), (_probe.Flow().Verdict, _probe.Flow().IcmpType));
    }

    [Fact]
    public void A_protocol_filter_holds_for_dropped_flows_too()
    {
        using TraceProbe filtered = new(1000, FlowProtocol.Udp);
        filtered.Rules(Rules);
        filtered.Packet().First().Rule("inet fw forward", 6, NF_DROP);
        filtered.Packet(new PacketHeader { Protocol = FlowProtocol.Udp }).First().Rule("inet fw forward", 6, NF_DROP);
        filtered.Line("TRACE: filter:INPUT:policy:1 ", new PacketHeader { SrcPort = 9 });
        filtered.Flush();
        Assert.Equal(FlowProtocol.Udp, filtered.Flow().Protocol);
    }

    [Fact]
    public void Whoever_watches_is_told_of_a_dropped_flow_with_its_verdict_and_rule()
    {
        using FlowSubscription dropped = _probe.Collector.Subscribe(new FlowQuery { Verdicts = [FlowVerdict.Dropped] });
        _probe.Packet(ct: 6).First().Tracked().Rule("inet fw forward", 5).Last();
        _probe.Packet(new PacketHeader { SrcPort = 2 }, ct: 7).First().Tracked().Rule("inet fw forward", 6, NF_DROP);
        Assert.True(dropped.Reader.TryRead(out Flow? flow));
        Assert.Equal("inet fw forward #2: tcp dport 22 drop", flow.VerdictRule);
        Assert.False(dropped.Reader.TryRead(out _));
    }
}
