using Conntracker.Core.Native;
using Tmds.Linux;

namespace Conntracker.Core.Feeds;

/// <summary>Waits for the sources of a capture.</summary>
internal static class FeedPoll
{
    /// <summary>Waits until a source is ready, another thread wakes this one, or the time is over.</summary>
    /// <param name="wakeup">Ends the wait early; it is cleared.</param>
    /// <param name="first">A descriptor that does not belong to the sources; -1 for none.</param>
    /// <param name="sources">The sources.</param>
    /// <param name="until">The latest time to return: ticks of <see cref="CaptureClock.Now"/>.</param>
    /// <param name="now">The time: ticks of <see cref="CaptureClock.Now"/>.</param>
    /// <returns>Whether the first descriptor is ready: data or an error, such as an overrun.</returns>
    public static bool Wait(Wakeup wakeup, int first, List<IFeedSource> sources, long until, long now)
    {
        const int Before = 2;
        int count = Before + sources.Count;
        Span<pollfd> polled = stackalloc pollfd[count];
        polled[0] = Poll.ForReading(wakeup.Number);
        polled[1] = Poll.ForReading(first);
        for (int i = 0; i < sources.Count; i++)
        {
            // poll(2) ignores a negative descriptor.
            polled[Before + i] = Poll.ForReading(sources[i].Number);
            until = Math.Min(until, sources[i].Due);
        }

        long milliseconds = Math.Clamp(((until - now) / TimeSpan.TicksPerMillisecond) + 1, 0, int.MaxValue);
        _ = Poll.Wait(polled, until == long.MaxValue ? -1 : (int)milliseconds);
        if (polled[0].revents != 0)
        {
            wakeup.Clear();
        }

        return polled[1].revents != 0;
    }
}
