using Conntracker.Core.Captures;
using Conntracker.Core.Recording;
using Xunit;

namespace Conntracker.Tests.Unit;

/// <summary>The counters, what repairs an overrun, subscriptions, and what an event costs.</summary>
public sealed class FlowCollectorTests : IDisposable
{
    private readonly CollectorProbe _probe = new();

    public void Dispose() => _probe.Dispose();

    [Fact]
    public void Events_losses_and_overruns_stand_in_the_receipt()
    {
        _probe.Event(new Conn().New());
        _probe.Event(new Conn().Destroy());
        _probe.Take(MessageKind.Overrun);
        _probe.Lost(41);
        _probe.Lost(1);
        _probe.Event([1, 2, 3]);
        Assert.Equal(new CaptureCounters(Events: 2, Lost: 42, Overruns: 1, Repaired: 0, Malformed: 1, Folded: 0), _probe.Counters);
    }

    [Theory]
    [InlineData("a lost NEW", 2, 1)]
    [InlineData("a lost UPDATE", 3, 1)]
    [InlineData("a lost DESTROY", 4, 1)]
    [InlineData("all three", 9, 3)]
    [InlineData("nothing", 0, 0)]
    public void What_a_dump_puts_right_after_an_overrun_is_counted_as_repaired(string name, int lost, int expected)
    {
        Conn[] known = [new Conn { SrcPort = 1 }, new Conn { SrcPort = 2 }];
        Array.ForEach(known, each => _probe.Event(each.New()));
        _probe.Take(MessageKind.Overrun);
        List<byte[]> entries = [];
        entries.AddRange(lost is 2 or 9 ? [new Conn { SrcPort = 3 }.Dumped()] : []);
        entries.Add((known[0] with { Status = lost is 3 or 9 ? Conn.Replied : known[0].Status }).Dumped());
        entries.AddRange(lost is 4 or 9 ? [] : [known[1].Dumped()]);
        _probe.Dump(DumpReason.Repair, [.. entries]);
        Assert.True(_probe.Counters.Repaired == expected, $"{name}: {_probe.Counters.Repaired}");
    }

    [Theory]
    [InlineData(DumpReason.Start)]
    [InlineData(DumpReason.Refresh)]
    internal void A_dump_without_an_overrun_before_it_repairs_nothing(DumpReason reason)
    {
        _probe.Event(new Conn { SrcPort = 1 }.New());
        _probe.Dump(reason, new Conn { SrcPort = 2 }.Dumped());
        Assert.Equal(0, _probe.Counters.Repaired);
    }

    [Fact]
    public void Counters_alone_are_no_repair()
    {
        _probe.Event(new Conn().New());
        _probe.Dump(DumpReason.Repair, new Conn { Counters = Conn.Count(1, 1) }.Dumped());
        Assert.Equal(0, _probe.Counters.Repaired);
    }

    [Theory]
    [InlineData("while the dump goes on", false)]
    [InlineData("after its end", true)]
    public void A_connection_whose_NEW_comes_behind_the_dump_that_showed_it_was_never_lost(string name, bool afterEnd)
    {
        Conn conn = new();
        _probe.Take(MessageKind.Overrun);
        _probe.BeginDump(DumpReason.Repair);
        _probe.DumpEntry(conn.Dumped());
        if (afterEnd)
        {
            _probe.EndDump();
        }

        _probe.Event(conn.New());
        if (!afterEnd)
        {
            _probe.EndDump();
        }

        Assert.True(_probe.Counters.Repaired == 0, name);
        Assert.Equal(1, _probe.Flow().Connections);
    }

    [Fact]
    public void The_hosts_addresses_tell_the_direction()
    {
        _probe.Event(new Conn { Src = "203.0.113.1", Dst = "192.0.2.1", DstPort = 22 }.New());
        Assert.Equal(FlowDirection.Unknown, _probe.Flow().Direction);
        foreach (Frame frame in Fixture.Frames(Fixture.Traffic).Where(each => each.Kind == MessageKind.Addresses))
        {
            _probe.Take(frame.Kind, frame.Data);
        }

        Assert.Equal(FlowDirection.In, _probe.Flow().Direction);
    }

    [Theory]
    [InlineData("192.0.2.0/24", FlowDirection.In)]
    [InlineData("203.0.113.1", FlowDirection.Out)]
    [InlineData("0.0.0.0/0", FlowDirection.Local)]
    [InlineData("2001:db8::/32", FlowDirection.Forward)]
    public void Addresses_that_the_user_gives_are_the_hosts_own_from_the_start(string own, FlowDirection expected)
    {
        using FlowCollector collector = new(CaptureOptions.MinimumOfMaximumFlows, [], [AddressRange.Parse(own)]);
        collector.Handle(MessageKind.ConntrackEvent, 1, new Conn { Src = "203.0.113.1", Dst = "192.0.2.1", DstPort = 22 }.New());
        Assert.Equal(expected, Assert.Single(CollectorProbe.FlowsOf(collector)).Direction);
    }

    [Fact]
    public void A_replay_takes_the_addresses_that_the_user_gives_beside_those_that_were_recorded()
    {
        using CaptureSession session =
            CaptureSession.Start(new CaptureOptions { ReplayPath = Fixture.Traffic, LocalAddresses = [AddressRange.Parse("198.51.100.2")] });
        List<Flow> flows = [.. session.GetFlows(FlowQuery.All)];
        Assert.Equal(FlowDirection.In, flows.Single(each => each.SrcPort == 40001).Direction);
        Assert.Equal(FlowDirection.Local, flows.Single(each => each.SrcPort == 40020).Direction);
    }

    [Fact]
    public void A_subscriber_is_told_of_each_new_connection_once_and_not_of_those_open_at_the_start()
    {
        FlowSubscription all = _probe.Collector.Subscribe(FlowQuery.All);
        FlowSubscription udp = _probe.Collector.Subscribe(new FlowQuery { Protocols = [FlowProtocol.Udp] });
        _probe.Dump(DumpReason.Start, new Conn { SrcPort = 1 }.Dumped());
        Conn conn = new() { SrcPort = 2 };
        foreach (byte[] message in (byte[][])[conn.New(), conn.Update(), conn.Destroy(), conn.New()])
        {
            _probe.Event(message);
        }

        _probe.Event(new Conn { SrcPort = 3, Protocol = FlowProtocol.Udp }.New());
        udp.Dispose();
        _probe.Event(new Conn { SrcPort = 4, Protocol = FlowProtocol.Udp }.New());
        _probe.Collector.CompleteSubscriptions();
        Assert.Equal([2, 2, 3, 4], Ports(all));
        Assert.Equal([3], Ports(udp));
        Assert.True(all.Reader.Completion.IsCompleted);
    }

    [Fact]
    public void A_subscriber_that_does_not_read_loses_the_newest_and_is_told_how_many()
    {
        const int Room = 65_536;
        using FlowSubscription subscription = _probe.Collector.Subscribe(FlowQuery.All);
        byte[] opened = new Conn().New();
        byte[] closed = new Conn().Destroy();
        for (int i = 0; i < Room + 3; i++)
        {
            _probe.Event(opened);
            _probe.Event(closed);
        }

        Assert.Equal(3, subscription.Skipped);
    }

    [Fact]
    public void An_event_of_a_known_flow_allocates_nothing()
    {
        using CollectorProbe filtered = new(CaptureOptions.MinimumOfMaximumFlows, FlowProtocol.Tcp, FlowProtocol.Udp);
        Conn conn = new() { State = 3, Zone = 7, Counters = Conn.Count(1, 1) };
        byte[][] messages = [conn.Update(), (conn with { State = 4, Mark = 1, Status = Conn.Replied, Counters = Conn.Count(2, 2) }).Update(), conn.Dumped()];
        foreach (FlowCollector collector in (FlowCollector[])[_probe.Collector, filtered.Collector])
        {
            // The runtime may compile something again, and allocates for that once; an event that allocates does so in each round.
            Assert.Contains(0, Enumerable.Range(0, 5).Select(_ => Allocated(() => Play(collector, messages, rounds: 1000))).ToArray());
        }
    }

    private static long Allocated(Action act)
    {
        long before = GC.GetAllocatedBytesForCurrentThread();
        act();
        return GC.GetAllocatedBytesForCurrentThread() - before;
    }

    private static void Play(FlowCollector collector, byte[][] messages, int rounds)
    {
        for (int i = 0; i < rounds; i++)
        {
            collector.Handle(MessageKind.ConntrackEvent, i, messages[0]);
            collector.Handle(MessageKind.ConntrackEvent, i, messages[1]);
            collector.Handle(MessageKind.ConntrackDump, i, messages[2]);
        }
    }

    private static List<int> Ports(FlowSubscription subscription)
    {
        List<int> ports = [];
        while (subscription.Reader.TryRead(out Flow? flow))
        {
            ports.Add(flow.SrcPort!.Value);
        }

        return ports;
    }
}
