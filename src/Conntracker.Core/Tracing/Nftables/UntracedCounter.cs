





using Conntracker.Core.Feeds;
using Conntracker.Core.Netlink;

namespace Conntracker.Core.Tracing.Nftables;

/// <summary>Looks from time to time whether flows have found no room in the sets of our table, and says so. Used on the capture's thread.</summary>
/// <param name="table">Our table's name.</param>
/// <param name="capacity">How many flows a set holds.</param>
/// <param name="notices">Gets what the user ought to know.</param>
/// <param name="clock">The capture's time.</param>
internal sealed class UntracedCounter(string table, int capacity, CaptureNotices notices, CaptureClock clock) : IDisposable
{
    private static readonly long s_interval = TimeSpan.FromSeconds(2).Ticks;

    private readonly NftCounterSource _source = NftCounterSource.Open();

    /// <summary>When to look again: ticks of UTC; <see cref="long.MaxValue"/> once it was said.</summary>
    public long Due { get; private set; } = clock.Now + s_interval;

    /// <summary>Looks, if it is time.</summary>
    public void Take()
    {
        if (clock.Now < Due)
        {
            return;
        }

        Due = clock.Now + s_interval;
        if (Read() is > 0 and long packets)
        {
            Due = long.MaxValue;
            notices.Add("untraced", $"{packets} packets were not traced so far: the kernel's sets are limited to {capacity} flows of a kind, and more have begun. Their flows may have no verdict and no steps. Trace selected flows instead.");
        }
    }

    /// <summary>Tells at the end how many there were.</summary>
    public void Finish()
    {
        if (Read() is > 0 and long packets)
        {
            notices.Add("untraced-total", $"{packets} packets were not traced: the kernel's sets are limited to {capacity} flows of a kind, and more had begun. Their flows may have no verdict and no steps.");
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _source.Dispose();

    // Null when the kernel does not tell.
    private long? Read()
    {
        try
        {
            int received = _source.Read(table, TraceRules.Untraced);
            NetlinkMessageReader messages = new(received > 0 ? _source.Batch[0] : default);
            while (messages.TryRead(out NetlinkMessage message))
            {
                if (NftCounterDecoder.TryDecode(in message, out long packets))
                {
                    return packets;
                }
            }
        }
        catch (ConntrackException)
        {
            // A notice less: no reason to end a capture.
        }

        return null;
    }
}
