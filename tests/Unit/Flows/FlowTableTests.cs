using System.Net;
using Conntracker.Core.Native;
using Conntracker.Core.Recording;
using Xunit;

namespace Conntracker.Tests.Unit;

/// <summary>What events and dumps make of a flow.</summary>
public sealed class FlowTableTests : IDisposable
{
    private const uint Assured = Conn.Replied | ConntrackConstants.IPS_ASSURED;
    private readonly CollectorProbe _probe = new();

    public void Dispose() => _probe.Dispose();

    [Fact]
    public void A_tuple_used_again_after_its_end_is_another_connection_of_the_same_flow()
    {
        // The same id, too: the kernel makes it from the tuple and a memory address that it uses again at once.
        Conn conn = new();
        foreach (byte[] message in (byte[][])[conn.New(), conn.Destroy(), conn.New(), conn.Destroy(), conn.New()])
        {
            _probe.Event(message);
        }

        Flow flow = _probe.Flow();
        Assert.Equal((3, FlowState.New, 1), (flow.Connections, flow.State, _probe.Flows().Count));
        Assert.Equal(CollectorProbe.Start.AddSeconds(1), flow.FirstSeen);
    }

    [Fact]
    public void A_connection_whose_predecessors_end_was_lost_is_counted_all_the_same()
    {
        _probe.Event(new Conn { Id = 1, Status = Assured, State = 3 }.New());
        _probe.Event(new Conn { Id = 2, State = 1 }.New());
        Flow flow = _probe.Flow();
        Assert.Equal((2, 2u, FlowState.New, TcpState.SynSent), (flow.Connections, flow.ConntrackId!.Value, flow.State, flow.TcpState));
        Assert.True(flow.Confirmed, "Both sides have spoken in the earlier connection.");
    }

    [Fact]
    public void A_second_end_of_the_same_connection_tells_nothing_new()
    {
        Conn conn = new();
        _probe.Event(conn.New());
        _probe.Event(conn.Destroy());
        _probe.Event(conn.Destroy());
        Assert.Equal((1, FlowState.Closed), (_probe.Flow().Connections, _probe.Flow().State));
    }

    [Fact]
    public void An_end_that_is_sent_again_does_not_end_the_next_connection_of_its_tuple()
    {
        Conn first = new() { Id = 1, Counters = Conn.Count(10, 1000) };
        Conn second = new() { Id = 2 };
        _probe.Event(first.New());
        _probe.Event(first.Destroy());
        _probe.Event(second.New());
        DateTimeOffset lastSeen = _probe.Now;
        _probe.Event(first.Destroy());
        Flow flow = _probe.Flow();
        Assert.Equal((2, FlowState.New, 2u, lastSeen), (flow.Connections, flow.State, flow.ConntrackId!.Value, flow.LastSeen!.Value));

        _probe.Event((second with { Status = Conn.Replied }).Update());
        _probe.Event((second with { Counters = Conn.Count(5, 500) }).Destroy());
        _probe.Event(first.Destroy());
        Assert.Equal((2, 15ul, FlowState.Closed), (_probe.Flow().Connections, _probe.Flow().Packets!.Value, _probe.Flow().State));
    }

    [Theory]
    [InlineData("UPDATE", false, FlowState.Assured)]
    [InlineData("DESTROY", true, FlowState.Closed)]
    public void A_flow_whose_beginning_was_missed_is_there_all_the_same(string name, bool isDestroy, FlowState expected)
    {
        Conn conn = new() { Status = Assured, State = 3, Counters = isDestroy ? Conn.Count(3, 30, 2, 20) : null };
        _probe.Event(isDestroy ? conn.Destroy() : conn.Update());
        Flow flow = _probe.Flow();
        Assert.True((flow.State, flow.Connections, flow.Confirmed, flow.Packets) == (expected, 1, true, isDestroy ? 3ul : null), name);
        Assert.Equal((conn.SrcPort, conn.DstPort), (flow.SrcPort, flow.DstPort));
    }

    [Fact]
    public void The_state_follows_the_kernels_status_bits()
    {
        List<FlowState> states = [];
        foreach (byte[] message in (byte[][])[new Conn().New(), new Conn { Status = Conn.Replied }.Update(),
            new Conn { Status = Assured }.Update(), new Conn { Status = Assured }.Destroy()])
        {
            _probe.Event(message);
            states.Add(_probe.Flow().State);
        }

        Assert.Equal([FlowState.New, FlowState.Replied, FlowState.Assured, FlowState.Closed], states);
        Assert.Equal((CollectorProbe.Start.AddSeconds(1), CollectorProbe.Start.AddSeconds(4)), (_probe.Flow().FirstSeen, _probe.Flow().LastSeen));
    }

    [Theory]
    [InlineData("zone", 1)]
    [InlineData("source port", 2)]
    [InlineData("source address", 3)]
    [InlineData("destination address", 4)]
    [InlineData("destination port", 5)]
    [InlineData("protocol", 6)]
    [InlineData("family", 7)]
    [InlineData("high half of an IPv6 address", 8)]
    public void Connections_that_differ_in_one_thing_are_two_flows(string name, int part)
    {
        Conn one = part >= 7 ? new() { Src = "2001:db8::c000:202", Dst = "2001:db8::1" } : new();
        Conn other = part switch
        {
            1 => one with { Zone = 7 },
            2 => one with { SrcPort = 40001 },
            3 => one with { Src = "192.0.2.3" },
            4 => one with { Dst = "198.51.100.3" },
            5 => one with { DstPort = 444 },
            6 => one with { Protocol = FlowProtocol.Udp },
            7 => new() { Src = "192.0.2.2", Dst = "198.51.100.2" },
            _ => one with { Src = "2001:db9::c000:202" },
        };
        _probe.Event(one.New());
        _probe.Event(other.New());
        _probe.Event(other.Destroy());
        Assert.True(_probe.Flows().Count == 2, $"The {name} keeps flows apart.");
        Assert.Single(_probe.Flows(), each => each.State == FlowState.Closed);
    }

    [Fact]
    public void A_dump_never_undoes_what_an_event_said_after_it_began()
    {
        Conn before = new() { SrcPort = 1, State = 1 };
        Conn closed = new() { SrcPort = 2, State = 3 };
        _probe.Event(before.New());
        _probe.Event(closed.New());
        _probe.BeginDump();
        _probe.Event((before with { Status = Assured, State = 3, Mark = 5 }).Update());
        _probe.Event(closed.Destroy());
        _probe.DumpEntry(before.Dumped());
        _probe.DumpEntry(closed.Dumped());
        _probe.EndDump();

        List<Flow> flows = [.. _probe.Flows().OrderBy(each => each.SrcPort)];
        Assert.Equal((FlowState.Assured, TcpState.Established, 5u), (flows[0].State, flows[0].TcpState, flows[0].Mark));
        Assert.Equal((FlowState.Closed, 1), (flows[1].State, flows[1].Connections));
    }

    [Fact]
    public void The_end_of_a_dump_closes_what_it_did_not_show_and_what_no_event_spoke_of_meanwhile()
    {
        Conn[] conns = [.. Enumerable.Range(1, 4).Select(port => new Conn { SrcPort = (ushort)port })];
        Array.ForEach(conns[..3], each => _probe.Event(each.New()));
        _probe.BeginDump();
        _probe.DumpEntry(conns[0].Dumped());
        _probe.Event((conns[1] with { Status = Conn.Replied }).Update());
        _probe.Event(conns[3].New());
        _probe.EndDump();

        string states = string.Join(' ', _probe.Flows().OrderBy(each => each.SrcPort).Select(each => each.State));
        Assert.Equal("New Replied Closed New", states);
        Assert.Equal(_probe.Now, _probe.Flows().Single(each => each.State == FlowState.Closed).LastSeen);
    }

    [Theory]
    [InlineData("an error", 16, 0)]
    [InlineData("an interruption", 0, NetlinkConstants.NLM_F_DUMP_INTR)]
    public void A_dump_that_broke_off_closes_nothing(string name, int errno, int flags)
    {
        _probe.Event(new Conn().New());
        _probe.BeginDump();
        _probe.EndDump(errno, flags | NetlinkConstants.NLM_F_MULTI);
        Assert.True(_probe.Flow().State == FlowState.New, $"After {name}.");
        Assert.Equal((1, false), _probe.Collector.Dumps);

        _probe.Dump(DumpReason.Refresh);
        Assert.Equal(FlowState.Closed, _probe.Flow().State);
    }

    [Fact]
    public void An_entry_marked_as_interrupted_spoils_its_dump_but_not_the_next()
    {
        _probe.Event(new Conn { SrcPort = 1 }.New());
        byte[] entry = new Conn { SrcPort = 2 }.Dumped();
        entry[6] |= NetlinkConstants.NLM_F_DUMP_INTR;
        _probe.Dump(DumpReason.Refresh, entry);
        Assert.DoesNotContain(_probe.Flows(), each => each.State == FlowState.Closed);
        _probe.Dump(DumpReason.Refresh);
        Assert.All(_probe.Flows(), each => Assert.Equal(FlowState.Closed, each.State));
    }

    [Fact]
    public void Counters_add_up_over_the_connections_of_a_flow()
    {
        Conn conn = new();
        _probe.Event(conn.New());
        Assert.Null(_probe.Flow().Packets);
        _probe.Event((conn with { Counters = Conn.Count(10, 1000, 8, 800) }).Destroy());
        _probe.Event(conn.New());
        _probe.Dump(DumpReason.Refresh, (conn with { Counters = Conn.Count(3, 300, 2, 200) }).Dumped());
        Assert.Equal((13ul, 1300ul, 10ul, 1000ul), Counters(_probe.Flow()));
        _probe.Event((conn with { Counters = Conn.Count(5, 500, 4, 400) }).Destroy());
        _probe.Event(conn.New());
        _probe.Event((conn with { Counters = Conn.Count(1, 100, 1, 100) }).Destroy());
        Assert.Equal((16ul, 1600ul, 13ul, 1300ul), Counters(_probe.Flow()));
    }

    [Theory]
    [InlineData("an older answer", 4, 3)]
    [InlineData("more one way, less the other", 20, 3)]
    public void Counters_never_go_back(string name, ulong packets, ulong replyPackets)
    {
        Conn conn = new() { Counters = Conn.Count(10, 1000, 8, 800) };
        _probe.Event(conn.Update());
        _probe.Event((conn with { Counters = Conn.Count(packets, packets * 100, replyPackets, replyPackets * 100) }).Update());
        Flow flow = _probe.Flow();
        Assert.True(flow.Packets >= 10 && flow.Bytes >= 1000 && flow.ReplyPackets >= 8 && flow.ReplyBytes >= 800, name);
    }

    [Fact]
    public void Counters_of_an_earlier_connection_in_a_late_dump_answer_are_not_added_again()
    {
        _probe.Event(new Conn { Id = 1 }.New());
        _probe.BeginDump();
        _probe.Event(new Conn { Id = 1, Counters = Conn.Count(10, 1000) }.Destroy());
        _probe.Event(new Conn { Id = 2 }.New());
        _probe.DumpEntry(new Conn { Id = 1, Counters = Conn.Count(9, 900) }.Dumped());
        _probe.EndDump();
        Assert.Equal((10ul, 2), (_probe.Flow().Packets!.Value, _probe.Flow().Connections));
    }

    [Fact]
    public void The_reply_tuple_shows_whom_NAT_made_answer()
    {
        _probe.Event(new Conn { ReplySrc = "203.0.113.9", Status = ConntrackConstants.IPS_CONFIRMED | ConntrackConstants.IPS_DST_NAT }.New());
        Flow flow = _probe.Flow();
        Assert.Equal((IPAddress.Parse("203.0.113.9"), true), (flow.ReplySrcAddress, flow.IsNat));
        Assert.Equal(IPAddress.Parse("198.51.100.2"), flow.DstAddress);
    }

    [Fact]
    public void A_flow_that_a_dump_showed_began_when_the_kernel_says()
    {
        DateTime start = new(2025, 12, 31, 23, 59, 59, DateTimeKind.Utc);
        _probe.Dump(DumpReason.Start, new Conn { Start = start }.Dumped());
        Assert.Equal(start, _probe.Flow().FirstSeen!.Value.UtcDateTime);
        Assert.Equal(CollectorProbe.Start.AddSeconds(2), _probe.Flow().LastSeen);
    }

    [Fact]
    public void Flows_that_only_a_dump_has_shown_are_counted_until_an_event_speaks_of_them()
    {
        Conn[] conns = [.. Enumerable.Range(1, 4).Select(port => new Conn { SrcPort = (ushort)port })];
        _probe.Dump(DumpReason.Start, [.. conns.Select(each => each.Dumped())]);
        Assert.Equal(4, _probe.Counters.EventlessFlows);
        _probe.Event((conns[0] with { Status = Conn.Replied }).Update());
        _probe.Event(conns[1].Destroy());
        _probe.Event((conns[2] with { Id = 2 }).New());
        Assert.Equal(1, _probe.Counters.EventlessFlows);
        _probe.Dump(DumpReason.Refresh, conns[3].Dumped());
        Assert.Equal(1, _probe.Counters.EventlessFlows);
        _probe.Dump(DumpReason.Refresh);
        Assert.Equal((0L, FlowState.Closed), (_probe.Counters.EventlessFlows, _probe.Flows().Single(each => each.SrcPort == 4).State));
    }

    [Fact]
    public void A_connection_whose_beginning_was_lost_in_an_overrun_has_events_and_is_not_counted_as_one_without()
    {
        _probe.Dump(DumpReason.Start);
        _probe.Dump(DumpReason.Repair, new Conn().Dumped());
        Assert.Equal(0, _probe.Counters.EventlessFlows);
    }

    [Fact]
    public void A_later_connection_that_only_a_dump_shows_has_no_events_again()
    {
        _probe.Dump(DumpReason.Start, new Conn { Id = 1 }.Dumped());
        _probe.Event(new Conn { Id = 1 }.Destroy());
        _probe.Dump(DumpReason.Refresh, new Conn { Id = 2 }.Dumped());
        Assert.Equal((1L, 2), (_probe.Counters.EventlessFlows, _probe.Flow().Connections));
    }

    [Fact]
    public void Flows_without_events_that_are_folded_are_no_reason_to_read_the_table()
    {
        int maximum = CaptureOptions.MinimumOfMaximumFlows;
        _probe.Dump(DumpReason.Start, [.. Enumerable.Range(1, maximum + 1).Select(port => new Conn { SrcPort = (ushort)(port + 2000) }.Dumped())]);
        long folded = _probe.Flows().Where(each => each.Folding != FlowFolding.None).Sum(each => each.Connections);
        Assert.True(folded > 1);
        Assert.Equal(maximum + 1 - folded, _probe.Counters.EventlessFlows);
    }

    private static (ulong, ulong, ulong, ulong) Counters(Flow flow) =>
        (flow.Packets!.Value, flow.Bytes!.Value, flow.ReplyPackets!.Value, flow.ReplyBytes!.Value);
}
