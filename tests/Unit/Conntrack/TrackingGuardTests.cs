using Conntracker.Core.Conntrack;
using Conntracker.Core.Feeds;
using Conntracker.Core.Model;
using Xunit;

namespace Conntracker.Tests.Unit;

/// <summary>A capture that made a host track connections must not make it drop packets.</summary>
public sealed class TrackingGuardTests : IDisposable
{
    private const int Limit = 1000;

    private readonly CollectorProbe _probe = new();
    private readonly CaptureNotices _notices = new();
    private TrackingReading? _reading = new(0, Limit, 0, 0);
    private int _released;

    public void Dispose() => _probe.Dispose();

    [Theory]
    [InlineData(899, Limit, 0)]
    [InlineData(900, Limit, 1)]
    [InlineData(1000, Limit, 1)]
    [InlineData(262_144, 0, 0)]
    [InlineData(9, 9, 1)]
    public void At_nine_tenths_of_the_limit_tracking_ends_and_a_notice_says_so(int entries, int limit, int expected)
    {
        using TrackingGuard guard = Guard("Tracking has ended.");
        _reading = new(entries, limit, 0, 0);
        Look(guard);
        Look(guard);
        Assert.Equal(expected, _released);
        Assert.Equal(expected, _notices.All().Count(each =>
            each.Contains($"{entries} of {limit}", StringComparison.Ordinal) && each.EndsWith("Tracking has ended.", StringComparison.Ordinal)));
    }

    [Fact]
    public void Where_tracking_is_to_go_on_the_notice_says_what_helps()
    {
        using TrackingGuard guard = Guard(release: null);
        _reading = new(950, Limit, 0, 0);
        Look(guard);
        Assert.EndsWith("Increase the limit.", Assert.Single(_notices.All()), StringComparison.Ordinal);
    }

    [Fact]
    public void A_flood_is_looked_at_before_it_has_filled_the_table()
    {
        using TrackingGuard guard = Guard(release: null);
        _reading = new(10, Limit, 0, 0);
        Look(guard);
        TimeSpan calm = Ahead(guard);
        _reading = new(800, Limit, 0, 0);
        Look(guard);
        Assert.InRange(calm, TimeSpan.FromMilliseconds(900), TimeSpan.FromMilliseconds(1000));
        Assert.InRange(Ahead(guard), TimeSpan.FromMilliseconds(1), TimeSpan.FromMilliseconds(80));
    }

    [Fact]
    public void What_the_kernel_dropped_since_the_start_is_counted_and_what_it_dropped_before_is_not()
    {
        _reading = new(10, Limit, Drops: 5, EarlyDrops: 50);
        using TrackingGuard guard = Guard(release: null);
        _reading = new(10, Limit, Drops: 5, EarlyDrops: 52);
        Look(guard);
        Assert.Equal((0L, 2L, 0), (_probe.Counters.ConntrackDrops, _probe.Counters.ConntrackEarlyDrops, _notices.All().Count));
        _reading = new(10, Limit, Drops: 8, EarlyDrops: 52);
        guard.Finish();
        Assert.Equal((3L, 2L), (_probe.Counters.ConntrackDrops, _probe.Counters.ConntrackEarlyDrops));
        Assert.Contains("ConntrackDrops", Assert.Single(_notices.All()), StringComparison.Ordinal);
    }

    [Fact]
    public void A_kernel_that_gives_no_numbers_is_not_asked_again()
    {
        _reading = null;
        using TrackingGuard guard = Guard(release: null);
        Assert.Equal(long.MaxValue, guard.Due);
        guard.Finish();
        Assert.Empty(_notices.All());
    }

    [Fact]
    public void The_kernels_statistics_are_summed_over_its_processors()
    {
        string[] lines =
        [
            "entries  clashres found new invalid ignore delete chainlength insert insert_failed drop early_drop icmp_error  expect_new expect_create " +
                "expect_delete search_restart",
            "00000007  00000000 00000000 00000000 00000002 00000001 00000000 00000003 00000000 00000000 0000000a 00000100 00000000  00000000 00000000 " +
                "00000000 00000000",
            "00000007  00000000 00000000 00000000 00000001 00000001 00000000 00000003 00000000 00000000 00000001 00000001 00000000  00000000 00000000 " +
                "00000000 00000000",
        ];
        Assert.Equal((11L, 257L), TrackingReader.Sum(lines));
        Assert.Equal((0L, 0L), TrackingReader.Sum(["entries found", "1 2"]));
        Assert.Equal((0L, 0L), TrackingReader.Sum([]));
    }

    private TrackingGuard Guard(string? release) => new(
        _reading,
        () => _reading,
        new MessageSink(_probe.Collector, recording: null),
        _notices,
        new CaptureClock(),
        () =>
        {
            _released++;
            return release;
        });

    private static TimeSpan Ahead(TrackingGuard guard) => TimeSpan.FromTicks(guard.Due - new CaptureClock().Now);

    private static void Look(TrackingGuard guard)
    {
        CaptureClock clock = new();
        while (clock.Now < guard.Due)
        {
            Thread.Sleep(5);
        }

        guard.Receive();
    }
}
