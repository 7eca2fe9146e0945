namespace Conntracker.Core.Feeds;

/// <summary>
/// A capture's time, twice. <see cref="Now"/> is for deadlines and pauses: nobody can set it, and it stands still while the host is suspended.
/// <see cref="TimeOfDay"/> is what users see: it follows the host's clock, also when that is set forward or the host was suspended, but never goes
/// back.
/// </summary>
internal sealed class CaptureClock
{
    private readonly TimeProvider _time;
    private readonly long _start;
    private readonly long _stamp;
    private long _last;

    /// <param name="time">The host's clocks; null for the real ones.</param>
    public CaptureClock(TimeProvider? time = null)
    {
        _time = time ?? TimeProvider.System;
        _start = _time.GetUtcNow().UtcTicks;
        _stamp = _time.GetTimestamp();
    }

    /// <summary>Ticks of UTC when the clock was made, and what the monotonic clock has gone on since.</summary>
    public long Now => _start + _time.GetElapsedTime(_stamp).Ticks;

    /// <summary>The host's clock as it is, which may have been set back: ticks of UTC.</summary>
    public long HostTime => _time.GetUtcNow().UtcTicks;

    /// <summary>
    /// The time of day: ticks of UTC, later each time it is asked for. While the host's clock is behind what was shown already it goes on by
    /// single ticks, so that what happens later has the later time. From any thread.
    /// </summary>
    public long TimeOfDay => ToTimeOfDay(Now);

    /// <summary>The time of day of a moment.</summary>
    /// <param name="now">The moment, by <see cref="Now"/>.</param>
    public long ToTimeOfDay(long now)
    {
        long wanted = HostTime - (Now - now);
        long last;
        long next;
        do
        {
            last = Interlocked.Read(ref _last);
            next = Math.Max(wanted, last + 1);
        }
        while (Interlocked.CompareExchange(ref _last, next, last) != last);

        return next;
    }

    /// <summary>When a time from now is over, by <see cref="Now"/>; <see cref="long.MaxValue"/> when it never is.</summary>
    /// <param name="duration">The time; null for one without an end.</param>
    public long After(TimeSpan? duration)
    {
        long now = Now;
        return duration is TimeSpan time && time.Ticks < long.MaxValue - now ? now + time.Ticks : long.MaxValue;
    }
}
