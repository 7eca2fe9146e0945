using Conntracker.Core.Feeds;
using Conntracker.Core.Netlink;

namespace Conntracker.Core.Tracing.Nftables;

/// <summary>Checks periodically whether flows found no room in the sets of our table, and reports it. Used on the capture's thread.</summary>
/// <param name="table">Our table's name.</param>
/// <param name="capacity">How many flows a set holds.</param>
/// <param name="notices">Gets notices for the user.</param>
/// <param name="clock">The capture's time.</param>
internal sealed class UntracedCounter(string table, int capacity, CaptureNotices notices, CaptureClock clock) : IDisposable
{
    private static readonly long s_interval = TimeSpan.FromSeconds(2).Ticks;

    private readonly NftCounterSource _source = NftCounterSource.Open();

    /// <summary>When to check again: ticks of UTC; <see cref="long.MaxValue"/> once it was reported.</summary>
    public long Due { get; private set; } = clock.Now + s_interval;

    /// <summary>Checks, if it is time.</summary>
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
            notices.Add("untraced", $"{packets} packets were not traced so far: the kernel's sets are limited to {capacity} flows of a kind, and more have " +
                "begun. Their flows may have no verdict and no steps. Trace selected flows instead.");
        }
    }

    /// <summary>Reports their number at the end.</summary>
    public void Finish()
    {
        if (Read() is > 0 and long packets)
        {
            notices.Add("untraced-total",
                $"{packets} packets were not traced: the kernel's sets are limited to {capacity} flows of a kind, and more had begun. " +
                    "Their flows may have no verdict and no steps.");
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _source.Dispose();

    // Null when the kernel does not report it.
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
            // A missing notice is no reason to end a capture.
        }

        return null;
    }
}
