using System.Buffers.Binary;
using Conntracker.Core.Feeds;
using Conntracker.Core.Model;
using Conntracker.Core.Recording;

namespace Conntracker.Core.Conntrack;

/// <summary>
/// Watches how full the kernel's table of connections is, while a capture runs. A host that tracks connections drops packets of new ones when the
/// table is full. If nothing was tracked before the capture, the capture has caused that risk: it then removes its nftables table in time, so
/// that the kernel stops tracking. Used on the capture's thread.
/// </summary>
internal sealed class TrackingGuard : IFeedSource
{
    private static readonly long s_longestPause = TimeSpan.FromSeconds(1).Ticks;
    private static readonly long s_shortestPause = TimeSpan.FromMilliseconds(50).Ticks;

    private readonly Func<TrackingReading?> _read;
    private readonly MessageSink _sink;
    private readonly CaptureNotices _notices;
    private readonly CaptureClock _clock;
    private readonly Func<string?> _release;
    private TrackingReading _last;
    private long _lastLook;

    /// <param name="first">How full the table was before the capture created its own nftables table; null if unknown.</param>
    /// <param name="read">Reads the kernel's numbers.</param>
    /// <param name="sink">Receives the number of drops.</param>
    /// <param name="notices">Receives notices for the user.</param>
    /// <param name="clock">The capture's time.</param>
    /// <param name="release">Called once, when the table is nearly full. It acts, and describes what it did in a sentence.</param>
    public TrackingGuard(
        TrackingReading? first, Func<TrackingReading?> read, MessageSink sink, CaptureNotices notices, CaptureClock clock, Func<string?> release)
    {
        _read = read;
        _sink = sink;
        _notices = notices;
        _clock = clock;
        _release = release;
        _last = first ?? default;
        _lastLook = clock.Now;
        Due = first is null ? long.MaxValue : _lastLook + s_longestPause;
    }

    /// <inheritdoc/>
    public int Number => -1;

    /// <inheritdoc/>
    public long Due { get; private set; }

    /// <inheritdoc/>
    public void Receive()
    {
        if (_clock.Now >= Due)
        {
            Look();
        }
    }

    /// <inheritdoc/>
    public void Finish()
    {
        if (Due != long.MaxValue && _read() is TrackingReading reading)
        {
            CountDrops(in reading);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        // Nothing is open.
    }

    private void Look()
    {
        long now = _clock.Now;
        if (_read() is not TrackingReading reading)
        {
            Due = now + s_longestPause;
            return;
        }

        CountDrops(in reading);
        if (reading.IsNearlyFull && _notices.IsNew("nearly full"))
        {
            _notices.Add("nearly full",
                $"The kernel's table of connections is nearly full: {reading.Entries} of {reading.Limit} (net.netfilter.nf_conntrack_max). " +
                    $"When it is full, packets of new connections are dropped. {_release() ?? "Increase the limit."}");
        }

        Due = now + Pause(in reading, now - _lastLook);
        _last = reading;
        _lastLook = now;
    }

    // Half of the time that is left at the last rate: a flood fills the table within seconds.
    private long Pause(ref readonly TrackingReading reading, long since)
    {
        long grown = reading.Entries - _last.Entries;
        if (grown <= 0 || reading.Limit == 0 || reading.IsNearlyFull)
        {
            return s_longestPause;
        }

        double left = (double)(reading.NearlyFull - reading.Entries) / grown * Math.Max(1, since);
        return (long)Math.Clamp(left / 2, s_shortestPause, s_longestPause);
    }

    private void CountDrops(ref readonly TrackingReading reading)
    {
        long drops = Math.Max(0, reading.Drops - _last.Drops);
        long earlyDrops = Math.Max(0, reading.EarlyDrops - _last.EarlyDrops);
        if (drops + earlyDrops == 0)
        {
            return;
        }

        Span<byte> data = stackalloc byte[2 * sizeof(long)];
        BinaryPrimitives.WriteInt64LittleEndian(data, drops);
        BinaryPrimitives.WriteInt64LittleEndian(data[sizeof(long)..], earlyDrops);
        _sink.Put(MessageKind.ConntrackDrops, _clock.Now, data);
        _last = _last with { Drops = reading.Drops, EarlyDrops = reading.EarlyDrops };
        if (drops > 0)
        {
            _notices.Add("conntrack drops",
                "Connection tracking has dropped packets: the kernel's table was full (net.netfilter.nf_conntrack_max), or a helper refused them. " +
                    "ConntrackDrops counts them.");
        }
    }
}
