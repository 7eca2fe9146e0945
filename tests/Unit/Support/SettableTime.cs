namespace Conntracker.Tests.Unit;

/// <summary>A host's clocks: the one that can be set, and the one that goes on by itself and stands still while the host is suspended.</summary>
internal sealed class SettableTime : TimeProvider
{
    private long _monotonic;

    public DateTimeOffset HostTime { get; set; } = CollectorProbe.Start;

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    /// <summary>Time goes by.</summary>
    public void Wait(TimeSpan time)
    {
        HostTime += time;
        _monotonic += time.Ticks;
    }

    /// <summary>The host sleeps, or somebody sets its clock: only one of both goes on.</summary>
    public void Shift(TimeSpan time) => HostTime += time;

    public override DateTimeOffset GetUtcNow() => HostTime;

    public override long GetTimestamp() => _monotonic;
}
