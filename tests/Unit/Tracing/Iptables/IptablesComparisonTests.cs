using Conntracker.Core.Feeds;
using Conntracker.Core.Tracing.Iptables;
using Xunit;

namespace Conntracker.Tests.Unit;

/// <summary>However many legacy rules there are, comparing them takes a small share of the time, and no change is missed.</summary>
public sealed class IptablesComparisonTests
{
    private readonly SettableTime _host = new();
    private readonly CaptureClock _clock;
    private readonly IptablesComparison _comparison;
    private TimeSpan _cost = TimeSpan.FromMilliseconds(40);
    private TimeSpan _spent;
    private int _comparisons;
    private ulong _rules = 1;
    private ulong _layout = 1;

    public IptablesComparisonTests()
    {
        _clock = new CaptureClock(_host);
        _comparison = new IptablesComparison(
            family =>
            {
                _comparisons++;
                Spend(_cost);
                return family == FlowFamily.IPv4 ? _rules : null;
            },
            family =>
            {
                Spend(TimeSpan.FromMicroseconds(20));
                return family == FlowFamily.IPv4 ? _layout : null;
            },
            _clock);
    }

    [Theory]
    [InlineData(0.02)]
    [InlineData(1)]
    [InlineData(40)]
    [InlineData(1000)]
    public void No_more_than_a_twentieth_of_the_time_is_spent_though_lines_wait_all_the_time(double milliseconds)
    {
        _cost = TimeSpan.FromMilliseconds(milliseconds);
        _comparison.Compare(0, isUrgent: false);
        (_spent, _comparisons) = (default, 0);
        TimeSpan time = TimeSpan.FromMinutes(5);
        long end = _clock.Now + time.Ticks;
        for (long mark = 1; _clock.Now < end; mark++)
        {
            _comparison.Compare(mark, isUrgent: false);
            _host.Wait(TimeSpan.FromTicks(Math.Max(1, _comparison.Due - _clock.Now)));
        }

        // And it is not put off for longer than that: the layouts, which are looked at beside, cost less than a hundredth.
        Assert.InRange(_comparisons, 2, int.MaxValue);
        Assert.InRange(_spent / time, milliseconds < 1 ? 0 : 0.04, 0.06);
    }

    [Fact]
    public void Lines_that_came_before_the_layout_changed_passed_the_rules_of_before()
    {
        Assert.Equal(new IptablesCheck(0, 10, true, false), _comparison.Compare(10, isUrgent: false));
        Assert.Null(Look(20));
        Assert.Null(Look(30));
        (_rules, _layout) = (2, 2);
        Assert.Null(Look(40));
        Assert.Null(Look(50));

        Assert.Equal(new IptablesCheck(30, 60, true, false), _comparison.Compare(60, isUrgent: true));
        Assert.Equal(new IptablesCheck(0, 70, false, false), _comparison.Compare(70, isUrgent: true));
    }

    [Fact]
    public void A_rule_that_another_of_its_size_replaces_counts_for_every_line_since_the_last_comparison()
    {
        _comparison.Compare(10, isUrgent: false);
        Assert.Null(Look(20));
        _rules = 2;
        Assert.Null(Look(30));

        Assert.Equal(new IptablesCheck(0, 40, true, false), _comparison.Compare(40, isUrgent: true));
    }

    [Fact]
    public void A_comparison_that_took_long_once_does_not_keep_lines_waiting()
    {
        _cost = TimeSpan.FromSeconds(1);
        _comparison.Compare(10, isUrgent: false);
        _cost = TimeSpan.FromMicroseconds(20);
        _comparison.Compare(20, isUrgent: true);

        _host.Wait(TimeSpan.FromMilliseconds(3));
        Assert.Equal(new IptablesCheck(0, 30, false, false), _comparison.Compare(30, isUrgent: false));
    }

    private IptablesCheck? Look(long mark)
    {
        _host.Wait(TimeSpan.FromMilliseconds(5));
        return _comparison.Compare(mark, isUrgent: false);
    }

    private void Spend(TimeSpan time)
    {
        _host.Wait(time);
        _spent += time;
    }
}
