using Conntracker.Core.Conntrack;
using Conntracker.Core.Recording;
using Xunit;

namespace Conntracker.Tests.Unit;

/// <summary>When the kernel's table is read again: soon enough to be right, and never so often that a large table keeps a processor busy.</summary>
public class DumpScheduleTests
{
    private static readonly TimeSpan s_largeTable = TimeSpan.FromSeconds(1.4);

    [Fact]
    public void A_capture_whose_flows_all_have_events_reads_the_table_once()
    {
        DumpSchedule schedule = Read(took: s_largeTable);
        Assert.Equal((null, long.MaxValue, true), (schedule.Next(hasEventless: false), schedule.Due(hasEventless: false), schedule.HasRead));
    }

    [Theory]
    [InlineData("a small table", 0.001, 60)]
    [InlineData("a table of a million entries", 1.4, 68.6)]
    public void While_flows_without_events_are_open_the_table_is_read_at_most_a_fiftieth_of_the_time(string name, double took, double pause)
    {
        DumpSchedule schedule = Read(TimeSpan.FromSeconds(took));
        Assert.Equal(DumpReason.Refresh, schedule.Next(hasEventless: true));
        Assert.True(Pause(schedule, took, hasEventless: true) == TimeSpan.FromSeconds(pause), name);
    }

    [Theory]
    [InlineData("a small table", 0.001, 1)]
    [InlineData("a table of a million entries", 1.4, 4.2)]
    public void Repairs_of_an_overrun_that_goes_on_take_at_most_a_quarter_of_the_time(string name, double took, double pause)
    {
        DumpSchedule schedule = Read(TimeSpan.FromSeconds(took));
        schedule.NeedRepair();
        Assert.Equal(DumpReason.Repair, schedule.Next(hasEventless: true));
        Assert.True(Pause(schedule, took, hasEventless: true) == TimeSpan.FromSeconds(pause), name);
    }

    [Fact]
    public void Who_asks_again_and_again_has_the_table_read_at_most_half_of_the_time()
    {
        DumpSchedule schedule = Read(s_largeTable);
        schedule.IsRefreshWanted = true;
        Assert.Equal(s_largeTable, Pause(schedule, s_largeTable.TotalSeconds, hasEventless: false));
    }

    [Fact]
    public void What_is_lost_or_wanted_while_a_dump_is_under_way_is_not_answered_by_it()
    {
        DumpSchedule schedule = new();
        schedule.NeedRepair();
        schedule.IsRefreshWanted = true;
        schedule.Begin(DumpReason.Repair, now: 0);
        Assert.Null(schedule.Next(hasEventless: false));
        schedule.NeedRepair();
        schedule.End(isWhole: true, now: 1);
        Assert.Equal(DumpReason.Repair, schedule.Next(hasEventless: false));
    }

    [Theory]
    [InlineData(DumpReason.Start)]
    [InlineData(DumpReason.Repair)]
    [InlineData(DumpReason.Refresh)]
    internal void A_dump_that_may_lack_entries_is_asked_for_again_for_the_same_reason(DumpReason reason)
    {
        DumpSchedule schedule = new();
        schedule.Begin(reason, now: 0);
        schedule.End(isWhole: false, now: 1);
        Assert.Equal(reason, schedule.Next(hasEventless: false));
    }

    [Fact]
    public void A_dump_that_fails_again_and_again_is_tried_less_and_less_often_but_never_given_up()
    {
        DumpSchedule schedule = Read(TimeSpan.Zero);
        List<double> pauses = [];
        for (int i = 0; i < 9; i++)
        {
            schedule.Begin(DumpReason.Repair, now: 0);
            schedule.Fail(now: 0);
            Assert.Equal(DumpReason.Repair, schedule.Next(hasEventless: false));
            pauses.Add(TimeSpan.FromTicks(schedule.Due(hasEventless: false)).TotalSeconds);
        }

        Assert.Equal([1, 2, 4, 8, 16, 32, 60, 60, 60], pauses);
        schedule.Begin(DumpReason.Repair, now: 0);
        schedule.End(isWhole: true, now: 0);
        Assert.Equal((0, null), (schedule.Failures, schedule.Next(hasEventless: false)));
    }

    private static DumpSchedule Read(TimeSpan took)
    {
        DumpSchedule schedule = new();
        schedule.Begin(DumpReason.Start, now: 0);
        schedule.End(isWhole: true, now: took.Ticks);
        return schedule;
    }

    private static TimeSpan Pause(DumpSchedule schedule, double took, bool hasEventless) =>
        TimeSpan.FromTicks(schedule.Due(hasEventless) - TimeSpan.FromSeconds(took).Ticks);
}
