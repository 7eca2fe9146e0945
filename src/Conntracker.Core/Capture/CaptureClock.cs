using System.Diagnostics;

namespace Conntracker.Core.Capture;

/// <summary>
/// The time of day that never goes back: what is received later has the greater time, also when somebody sets the host's clock.
/// </summary>
internal sealed class CaptureClock
{
    private readonly long _start = DateTime.UtcNow.Ticks;
    private readonly long _stamp = Stopwatch.GetTimestamp();

    /// <summary>Now, in ticks of UTC.</summary>
    public long Now => _start + Stopwatch.GetElapsedTime(_stamp).Ticks;

    /// <summary>When a time from now is over: ticks of UTC; <see cref="long.MaxValue"/> when it never is.</summary>
    /// <param name="duration">The time; null for one without an end.</param>
    public long After(TimeSpan? duration)
    {
        long now = Now;
        return duration is TimeSpan time && time.Ticks < long.MaxValue - now ? now + time.Ticks : long.MaxValue;
    }
}
