namespace Conntracker.Core.Feeds;

/// <summary>
/// A capture's two clocks. <see cref="Now"/> is for deadlines and pauses: no user can set it, and it stops while the host is suspended.
/// <see cref="TimeOfDay"/> is for users: it follows the host's clock, also when that is set forward or the host was suspended, but never goes
/// backwards.
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

    /// <summary>Ticks of UTC when the clock was created, plus the monotonic time since.</summary>
    public long Now => _start + _time.GetElapsedTime(_stamp).Ticks;

    /// <summary>The host's clock as it is, which may have been set back: ticks of UTC.</summary>
    public long HostTime => _time.GetUtcNow().UtcTicks;

    /// <summary>
    /// The time of day: ticks of UTC, later at each call. While the host's clock is behind the last result, it advances by
    /// single ticks, so that what happens later has the later time. From any thread.
    /// </summary>
    public long TimeOfDay => ToTimeOfDay(Now);

    /// <summary>The time of day of a moment.</summary>
    /// <param name="now">The moment, as <see cref="Now"/>.</param>
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

    /// <summary>The end of a duration that begins now, as <see cref="Now"/>; <see cref="long.MaxValue"/> for none.</summary>
    /// <param name="duration">The duration; null for one without an end.</param>
    public long After(TimeSpan? duration)
    {
        long now = Now;
        return duration is TimeSpan time && time.Ticks < long.MaxValue - now ? now + time.Ticks : long.MaxValue;
    }
}
