using Conntracker.Core.Conntrack;
using Conntracker.Core.Feeds;
using Conntracker.Core.Native;
using Conntracker.Core.Recording;
using Xunit;
using static Tmds.Linux.LibC;

namespace Conntracker.Tests.Unit;

/// <summary>What becomes of a capture whose kernel breaks a dump off, as one that is short of memory does.</summary>
public sealed class TableFeedTests : IDisposable
{
    private readonly CollectorProbe _probe = new();
    private readonly FakeDumps _dumps = new();
    private readonly CaptureNotices _notices = new();
    private readonly Wakeup _wakeup = new();
    private readonly SettableTime _host = new();
    private readonly TableFeed _feed;

    public TableFeedTests()
    {
        CaptureClock clock = new(_host);
        _feed = new TableFeed(_dumps, () => _probe.Collector.NeedsDumps, new MessageSink(_probe.Collector, recording: null, clock), _notices, clock, _wakeup);
    }

    public void Dispose()
    {
        _feed.Dispose();
        _wakeup.Dispose();
        _probe.Dispose();
    }

    [Theory]
    // ENOBUFS is 105, EPERM is 1.
    [InlineData("the kernel ends it with an error", 105, false)]
    [InlineData("the kernel ends it with an error that never passes", 1, false)]
    [InlineData("its socket cannot be read", 105, true)]
    public void A_repair_that_fails_once_is_made_again_and_the_capture_goes_on(string name, int errno, bool isOfSocket)
    {
        Conn conn = new();
        _dumps.Answer(CollectorProbe.DumpEnd());
        Read(DumpReason.Start);
        if (isOfSocket)
        {
            _dumps.Fail(errno);
        }
        else
        {
            _dumps.Answer(CollectorProbe.DumpEnd(errno));
        }

        _dumps.Answer(conn.Dumped(), CollectorProbe.DumpEnd());

        _feed.NeedRepair();
        Read(DumpReason.Repair);
        Assert.True(_probe.Flows().Count == 0 && _feed.Due < long.MaxValue, name);
        Assert.Contains(Errno.Describe(errno), Assert.Single(_notices.All()), StringComparison.Ordinal);

        _feed.Finish(isWanted: false);
        Assert.Equal((443, 3, 0), ((int)_probe.Flow().DstPort!, _dumps.Begun, _dumps.Waiting));
        Assert.Single(_notices.All());
    }

    [Fact]
    public void A_repair_that_the_kernel_does_not_even_begin_is_made_again()
    {
        _dumps.Answer(CollectorProbe.DumpEnd());
        Read(DumpReason.Start);
        _dumps.Refuse();
        _dumps.Answer(new Conn().Dumped(), CollectorProbe.DumpEnd());
        _feed.Request(DumpReason.Repair);
        Assert.False(_feed.IsReading);
        _feed.Finish(isWanted: false);
        Assert.Equal(443, (int)_probe.Flow().DstPort!);
    }

    [Fact]
    public void A_capture_that_ends_while_every_dump_fails_ends_and_says_so()
    {
        _dumps.Answer(CollectorProbe.DumpEnd());
        Read(DumpReason.Start);
        for (int i = 0; i < 10; i++)
        {
            _dumps.Answer(CollectorProbe.DumpEnd(ENOMEM));
        }

        _feed.NeedRepair();
        _feed.Finish(isWanted: false);
        Assert.Equal(4, _dumps.Begun - 1);
        Assert.Contains(_notices.All(), notice => notice.Contains("at the end of the capture", StringComparison.Ordinal));
    }

    [Fact]
    public void The_first_dump_is_tried_again_when_the_kernel_is_short_of_memory()
    {
        _dumps.Answer(CollectorProbe.DumpEnd(ENOMEM));
        _dumps.Answer(new Conn().Dumped(), CollectorProbe.DumpEnd());
        Read(DumpReason.Start);
        Assert.False(_feed.HasRead);
        Read(DumpReason.Start);
        Assert.Equal((true, 1L), (_feed.HasRead, _probe.Counters.EventlessFlows));
    }

    [Theory]
    // EPERM, EOPNOTSUPP and ENOBUFS.
    [InlineData(1, ConntrackErrorReason.PermissionDenied, 1)]
    [InlineData(95, ConntrackErrorReason.KernelFeatureMissing, 1)]
    [InlineData(105, ConntrackErrorReason.KernelRefused, 4)]
    public void A_capture_that_cannot_read_the_table_at_its_start_ends_with_the_reason(int errno, ConntrackErrorReason reason, int tries)
    {
        for (int i = 1; i <= tries; i++)
        {
            _dumps.Answer(CollectorProbe.DumpEnd(errno));
            if (i < tries)
            {
                Read(DumpReason.Start);
            }
        }

        Assert.Equal(reason, Assert.Throws<ConntrackException>(() => Read(DumpReason.Start)).Reason);
    }

    [Fact]
    public void Flows_without_events_are_looked_up_at_the_end_and_those_that_are_gone_are_closed()
    {
        Conn gone = new() { SrcPort = 1 };
        Conn alive = new() { SrcPort = 2 };
        _dumps.Answer(gone.Dumped(), alive.Dumped(), CollectorProbe.DumpEnd());
        Read(DumpReason.Start);
        _dumps.Answer((alive with { Status = Conn.Replied }).Dumped(), CollectorProbe.DumpEnd());

        _feed.Finish(isWanted: false);

        Assert.Equal("Closed Replied", string.Join(' ', _probe.Flows().OrderBy(each => each.SrcPort).Select(each => each.State)));
        Assert.Equal((2, 1L), (_dumps.Begun, _probe.Counters.EventlessFlows));
    }

    [Fact]
    public void In_a_long_capture_flows_without_events_are_looked_up_once_a_minute_until_none_is_left()
    {
        Conn conn = new();
        _dumps.Answer(conn.Dumped(), CollectorProbe.DumpEnd());
        Read(DumpReason.Start);
        _dumps.Answer((conn with { Status = Conn.Replied }).Dumped(), CollectorProbe.DumpEnd());
        _dumps.Answer(CollectorProbe.DumpEnd());

        List<(int Begun, FlowState State)> seen = [];
        for (int seconds = 0; seconds <= 240; seconds += 30)
        {
            _feed.RequestNext();
            while (_feed.IsReading)
            {
                _feed.Take();
            }

            seen.Add((_dumps.Begun, _probe.Flow().State));
            _host.Wait(TimeSpan.FromSeconds(30));
        }

        Assert.Equal("1 New, 1 New, 2 Replied, 2 Replied, 3 Closed, 3 Closed, 3 Closed, 3 Closed, 3 Closed",
            string.Join(", ", seen.Select(each => $"{each.Begun} {each.State}")));
    }

    [Fact]
    public void Where_the_kernel_makes_no_events_at_all_the_table_is_read_once_a_minute()
    {
        _probe.Collector.IsWithoutEvents = true;
        _dumps.Answer(CollectorProbe.DumpEnd());
        Read(DumpReason.Start);
        _dumps.Answer(new Conn().Dumped(), CollectorProbe.DumpEnd());
        _host.Wait(TimeSpan.FromSeconds(60));
        _feed.RequestNext();
        Assert.True(_feed.IsReading);
    }

    [Fact]
    public void A_capture_that_needs_no_look_at_the_table_asks_for_none_at_its_end()
    {
        Conn conn = new();
        _dumps.Answer(conn.Dumped(), CollectorProbe.DumpEnd());
        Read(DumpReason.Start);
        _probe.Event(conn.Update());
        Assert.Equal(long.MaxValue, _feed.Due);
        _feed.Finish(isWanted: false);
        Assert.Equal(1, _dumps.Begun);
    }

    private void Read(DumpReason reason)
    {
        _feed.Request(reason);
        while (_feed.IsReading)
        {
            _feed.Take();
        }
    }
}
