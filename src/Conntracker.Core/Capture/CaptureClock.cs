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
}
