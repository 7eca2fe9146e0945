namespace Conntracker.Core.Packets;

/// <summary>
/// The time by which idle packet flows are closed: that of the newest packet, which the kernel took from the host's clock, plus the time that has
/// passed on the monotonic clock since. It advances while no packets come, and follows the host's clock when that is set back.
/// </summary>
internal sealed class PacketClock
{
    // Packets of several processors arrive slightly out of order. A larger step back means that the clock was set.
    private static readonly long s_tolerance = TimeSpan.FromSeconds(1).Ticks;

    private long _newest;
    private long _came;

    /// <summary>True once a packet has arrived.</summary>
    public bool IsKnown { get; private set; }

    /// <summary>Records that a packet has arrived.</summary>
    /// <param name="time">Its time: ticks of UTC.</param>
    /// <param name="now">When it was received, by the capture's clock.</param>
    public void Note(long time, long now)
    {
        if (!IsKnown || time > _newest || time < _newest - s_tolerance)
        {
            (_newest, _came, IsKnown) = (time, now, true);
        }
    }

    /// <summary>The time of packets that arrive now: ticks of UTC.</summary>
    /// <param name="now">Now, by the capture's clock.</param>
    public long At(long now) => _newest + (now - _came);
}
