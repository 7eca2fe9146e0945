using Conntracker.Core.Flows;
using Conntracker.Core.Tracing;
using Xunit;

namespace Conntracker.Tests.Unit;

/// <summary>What Get-FlowTrace shows: how long each trace lasts, and what came of it.</summary>
public sealed class TraceRequestBookTests
{
    private readonly TraceRequestBook _book = new();

    [Fact]
    public void Packets_and_steps_count_for_each_trace_that_the_flow_belongs_to()
    {
        TraceRequest all = _book.Add("each flow", flow: null, FlowQuery.All, now: 1, until: null)!;
        TraceRequest web = _book.Add("port 443", flow: null, new FlowQuery { DstPorts = [PortRange.Parse("443")] }, now: 1, until: 100)!;
        Count(Record(443), 1, 3);
        Count(Record(22), 1, 2);
        Assert.Equal((2, 5, 1, 3), (all.Packets, all.Steps, web.Packets, web.Steps));
        Assert.Equal((0, 1), (all.Id, web.Id));
    }

    [Fact]
    public void A_chosen_flow_counts_its_own_packets_only()
    {
        using CollectorProbe probe = new();
        probe.Event(new Conn { Protocol = FlowProtocol.Icmp, SrcPort = 4711, DstPort = 0 }.New());
        probe.Event(new Conn { SrcPort = 40000, Zone = 3 }.New());
        TraceRequest[] requests = [.. probe.Flows().Select(each => _book.Add("a flow", each, query: null, now: 1, until: 100)!)];
        using Conntracker.FlowSnapshot snapshot = probe.Collector.Snapshot();
        for (int slot = 0; slot < snapshot.SlotCount; slot++)
        {
            Count(snapshot[slot], 1, 1);
        }

        Count(Record(443), 1, 1);
        Assert.All(requests, each => Assert.Equal((1, 1), (each.Packets, each.Steps)));
    }

    [Fact]
    public void A_trace_ends_at_its_time_and_is_still_shown()
    {
        _book.Add("each flow", flow: null, FlowQuery.All, now: 1, until: null);
        TraceRequest first = _book.Add("one", flow: null, FlowQuery.All, now: 1, until: 100)!;
        TraceRequest second = _book.Add("two", flow: null, FlowQuery.All, now: 1, until: 200)!;
        Assert.Equal(100, _book.NextEnd());
        Assert.False(_book.Expire(99));
        Assert.True(_book.Expire(100));
        Assert.Equal(200, _book.NextEnd());
        Count(Record(1), 1, 1);
        Assert.Equal((0, 1), (first.Packets, second.Packets));
        Assert.Equal(3, _book.All.Count);
        Assert.False(first.ToPublic("c", 100, isRunning: true).IsActive);
        Assert.True(second.ToPublic("c", 100, isRunning: true).IsActive);
        Assert.False(second.ToPublic("c", 100, isRunning: false).IsActive);
        _book.Expire(200);
        Assert.Equal(long.MaxValue, _book.NextEnd());
    }

    [Fact]
    public void The_oldest_that_are_over_make_room_and_running_ones_never_do()
    {
        for (int i = 0; i < TraceRequestBook.Maximum; i++)
        {
            Assert.NotNull(_book.Add($"{i}", flow: null, FlowQuery.All, now: 1, until: i == 5 ? 50 : 100));
        }

        Assert.Null(_book.Add("one too many", flow: null, FlowQuery.All, now: 1, until: 100));
        _book.Expire(50);
        Assert.NotNull(_book.Add("instead of number 5", flow: null, FlowQuery.All, now: 50, until: 100));
        Assert.Equal(TraceRequestBook.Maximum, _book.All.Count);
        Assert.DoesNotContain(_book.All, each => each.Target == "5");
        _book.Remove(_book.All[0]);
        Assert.Equal((TraceRequestBook.Maximum - 1, TraceRequestBook.Maximum - 1), (_book.All.Count, _book.Active.Count));
    }

    private void Count(FlowRecord record, int packets, int steps) => _book.Count(in record, packets, steps);

    private static FlowRecord Record(ushort port) => new()
    {
        Key = new FlowKey { Family = FlowFamily.IPv4, Protocol = FlowProtocol.Tcp, Original = new FlowEndpoints { DstPort = port } },
    };
}
