using Conntracker.Core.Recording;
using Xunit;

namespace Conntracker.Tests.Unit;

/// <summary>Connections whose flow is folded at the limit: their later events are counted once, and for the right flow.</summary>
public sealed class FoldedConnectionTests : IDisposable
{
    private const int Limit = CaptureOptions.MinimumOfMaximumFlows;
    private readonly CollectorProbe _probe = new(Limit);

    public void Dispose() => _probe.Dispose();

    [Theory]
    [InlineData(FlowProtocol.Tcp)]
    [InlineData(FlowProtocol.Icmp)]
    public void A_flow_folded_while_it_was_open_is_neither_counted_twice_nor_robbed_of_its_counters(FlowProtocol protocol)
    {
        // An ICMP query's id may be 0: then the flow that all are folded into bears the key of a real one.
        const int Count = 3000;
        Conn[] conns = [.. Enumerable.Range(0, Count).Select(i => new Conn { Protocol = protocol, SrcPort = (ushort)i, Id = (uint)i + 1 })];
        Array.ForEach(conns, each => _probe.Event(each.New()));
        Array.ForEach(conns, each => _probe.Event((each with { Status = Conn.Replied }).Update()));
        Assert.Equal((Count, true), (Connections(_probe.Flows()), _probe.Collector.FlowCount <= Limit));

        Array.ForEach(conns, each => _probe.Event((each with { Status = Conn.Replied, Counters = Conn.Count(5, 500, 4, 400) }).Destroy()));
        List<Flow> flows = _probe.Flows();
        Assert.Equal((Count, 5ul * Count, 400ul * Count), (Connections(flows), Sum(flows, each => each.Packets), Sum(flows, each => each.ReplyBytes)));
        Assert.Contains(flows, each => each.Folding == FlowFolding.ClientPort && each.SrcPort is null && each.IcmpId is null && each.Confirmed);
        Assert.All(flows, each => Assert.Equal(FlowState.Closed, each.State));
        Assert.All(flows, each => Assert.Equal(protocol == FlowProtocol.Icmp ? (byte)8 : null, each.IcmpType));
    }

    [Fact]
    public void What_earlier_connections_counted_stays_when_a_flow_is_folded_while_a_later_one_is_open()
    {
        Conn[] conns = [.. Enumerable.Range(0, Limit).Select(i => new Conn { SrcPort = (ushort)(2000 + i) })];
        foreach (Conn conn in conns)
        {
            _probe.Event(conn.New());
            _probe.Event((conn with { Counters = Conn.Count(10, 1000) }).Destroy());
            _probe.Event(conn.New());
        }

        _probe.Event(new Conn { SrcPort = 60000 }.New());
        Assert.Contains(_probe.Flows(), each => each.Folding == FlowFolding.ClientPort);
        Array.ForEach(conns, each => _probe.Event((each with { Counters = Conn.Count(1, 100) }).Destroy()));
        Assert.Equal((2 * Limit) + 1, Connections(_probe.Flows()));
        Assert.Equal((11ul * Limit, 1100ul * Limit), (Sum(_probe.Flows(), each => each.Packets), Sum(_probe.Flows(), each => each.Bytes)));
    }

    [Fact]
    public void A_flow_folded_under_its_own_key_goes_on_counting()
    {
        // IKE: both ports are 500, so there is nothing to fold but the mark that it was.
        Conn ike = new() { Protocol = FlowProtocol.Udp, SrcPort = 500, DstPort = 500, Id = 77 };
        _probe.Event(ike.New());
        for (int i = 0; i < 2 * Limit; i++)
        {
            _probe.Event(new Conn { SrcPort = (ushort)(2000 + i) }.New());
        }

        Assert.Equal(FlowFolding.ClientPort, Ike().Folding);
        _probe.Event((ike with { Counters = Conn.Count(10, 1000) }).Destroy());
        _probe.Event((ike with { Id = 78 }).New());
        _probe.Event((ike with { Id = 78, Counters = Conn.Count(3, 300) }).Destroy());
        Assert.Equal((2, 13ul, 500), (Ike().Connections, Ike().Packets!.Value, (int)Ike().SrcPort!.Value));

        Flow Ike() => _probe.Flows().Single(each => each.Protocol == FlowProtocol.Udp);
    }

    [Fact]
    public void A_dump_that_shows_open_flows_which_were_folded_repairs_nothing_and_counts_nothing()
    {
        Conn[] conns = [.. Enumerable.Range(0, 2 * Limit).Select(i => new Conn { SrcPort = (ushort)(2000 + i) })];
        Array.ForEach(conns, each => _probe.Event(each.New()));
        DateTimeOffset lastEvent = _probe.Now;
        _probe.Dump(DumpReason.Repair, [.. conns.Select(each => each.Dumped())]);
        Assert.Equal((0, conns.Length), (_probe.Counters.Repaired, Connections(_probe.Flows())));
        Assert.All(_probe.Flows(), each => Assert.True(each.LastSeen <= lastEvent, "A dump that tells nothing new is no sign of life."));
    }

    [Theory]
    [InlineData("others of it are open", 10)]
    [InlineData("all of it are closed", 0)]
    public void An_end_that_is_sent_again_after_its_flow_was_folded_changes_nothing(string name, int open)
    {
        Conn[] conns = [.. Enumerable.Range(0, 2 * Limit)
            .Select(i => new Conn { SrcPort = (ushort)(2000 + i), Id = (uint)i + 1, Counters = Conn.Count(1, 100) })];
        Array.ForEach(conns, each => _probe.Event(each.New()));
        Array.ForEach(conns[open..], each => _probe.Event(each.Destroy()));
        Flow before = Folded();
        Array.ForEach(conns[open..], each => _probe.Event(each.Destroy()));
        Flow after = Folded();
        Assert.True(
            (after.Connections, after.Packets, after.State, after.LastSeen) == (before.Connections, before.Packets, before.State, before.LastSeen),
            $"{name}: {before.Connections} connections and {before.Packets} packets became {after.Connections} and {after.Packets}.");
        Assert.Equal(open > 0 ? FlowState.New : FlowState.Closed, after.State);

        Array.ForEach(conns[..open], each => _probe.Event(each.Destroy()));
        Assert.Equal((conns.Length, (ulong)conns.Length), (Connections(_probe.Flows()), Sum(_probe.Flows(), each => each.Packets)));
        Assert.All(_probe.Flows(), each => Assert.Equal(FlowState.Closed, each.State));

        Flow Folded() => _probe.Flows().Single(each => each.Folding == FlowFolding.ClientPort);
    }

    [Fact]
    public void A_dumps_answer_about_a_connection_that_ended_and_was_folded_since_brings_back_no_flow()
    {
        Conn[] conns = [.. Enumerable.Range(0, Limit).Select(i => new Conn { SrcPort = (ushort)(2000 + i), Id = (uint)i + 1 })];
        Array.ForEach(conns, each => _probe.Event(each.New()));
        _probe.BeginDump();
        Array.ForEach(conns, each => _probe.Event(each.Destroy()));
        _probe.Event(new Conn { SrcPort = 60000 }.New());
        Assert.Contains(_probe.Flows(), each => each.Folding == FlowFolding.ClientPort);
        Array.ForEach(conns, each => _probe.DumpEntry(each.Dumped()));
        _probe.EndDump();
        Assert.Equal(Limit + 1, Connections(_probe.Flows()));
        Assert.Equal(60000, (int)Assert.Single(_probe.Flows(), each => each.State != FlowState.Closed).SrcPort!.Value);
    }

    [Fact]
    public void A_connection_with_the_id_of_an_earlier_one_is_counted_after_that_was_folded()
    {
        Conn[] conns = [.. Enumerable.Range(0, 2 * Limit)
            .Select(i => new Conn { SrcPort = (ushort)(2000 + i), Id = (uint)i + 1, Counters = Conn.Count(1, 100) })];
        foreach (Conn conn in conns)
        {
            _probe.Event(conn.New());
            _probe.Event(conn.Destroy());
        }

        Array.ForEach(conns, each => _probe.Event(each.New()));
        Array.ForEach(conns, each => _probe.Event(each.Destroy()));
        Assert.Equal((2 * conns.Length, 2ul * (ulong)conns.Length), (Connections(_probe.Flows()), Sum(_probe.Flows(), each => each.Packets)));
        Assert.All(_probe.Flows(), each => Assert.Equal(FlowState.Closed, each.State));
    }

    [Fact]
    public void An_end_that_belongs_to_no_open_folded_flow_is_a_flow_of_its_own()
    {
        for (int i = 0; i <= Limit; i++)
        {
            _probe.Event(new Conn { SrcPort = (ushort)(2000 + i) }.Destroy());
        }

        _probe.Event(new Conn { SrcPort = 2, Dst = "203.0.113.1" }.New());
        long before = Connections(_probe.Flows());
        _probe.Event(new Conn { SrcPort = 60001, Counters = Conn.Count(1, 100) }.Destroy());
        Assert.Equal(before + 1, Connections(_probe.Flows()));
        Assert.Contains(_probe.Flows(), each => each.SrcPort == 60001);
    }

    private static long Connections(List<Flow> flows) => flows.Sum(each => each.Connections);

    private static ulong Sum(List<Flow> flows, Func<Flow, ulong?> counter) =>
        flows.Aggregate(0ul, (sum, each) => sum + (counter(each) ?? 0));
}
