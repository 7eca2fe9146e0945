namespace Conntracker.Core.Packets;

/// <summary>
/// The time by which idle flows of packets are closed: that of the newest packet, which the kernel took from the host's clock, and what the
/// monotonic clock has gone on since it came. So it goes on where no packet comes, and follows the host's clock when that is set back.
/// </summary>
internal sealed class PacketClock
{
    // Packets of several processors come a little out of order. What is further back was seen after the clock was set.
    private static readonly long s_tolerance = TimeSpan.FromSeconds(1).Ticks;

    private long _newest;
    private long _came;

    /// <summary>Whether a packet has come.</summary>
    public bool IsKnown { get; private set; }

    /// <summary>A packet has come.</summary>
    /// <param name="time">Its time: ticks of UTC.</param>
    /// <param name="now">When it was taken in, by the capture's clock.</param>
    public void Note(long time, long now)
    {
        if (!IsKnown || time > _newest || time < _newest - s_tolerance)
        {
            (_newest, _came, IsKnown) = (time, now, true);
        }
    }

    /// <summary>The time of packets that come now: ticks of UTC.</summary>
    /// <param name="now">Now, by the capture's clock.</param>
    public long At(long now) => _newest + (now - _came);
}
