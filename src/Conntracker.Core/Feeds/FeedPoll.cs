using Conntracker.Core.Native;
using Tmds.Linux;

namespace Conntracker.Core.Feeds;

/// <summary>Waits for what feeds a capture.</summary>
internal static class FeedPoll
{
    /// <summary>Waits until a source has something, somebody wakes the thread, or it is time.</summary>
    /// <param name="wakeup">Ends the wait early; cleared.</param>
    /// <param name="first">The descriptor of what is not in the list; -1 for none.</param>
    /// <param name="sources">The sources.</param>
    /// <param name="until">When to return at the latest: ticks of <see cref="CaptureClock.Now"/>.</param>
    /// <param name="now">The time: ticks of <see cref="CaptureClock.Now"/>.</param>
    /// <returns>Whether the first has something: data or an error, such as an overrun.</returns>
    public static bool Wait(Wakeup wakeup, int first, List<IFeedSource> sources, long until, long now)
    {
        const int Before = 2;
        int count = Before + sources.Count;
        Span<pollfd> polled = stackalloc pollfd[count];
        polled[0] = Poll.ForReading(wakeup.Number);
        polled[1] = Poll.ForReading(first);
        for (int i = 0; i < sources.Count; i++)
        {
            // A negative number is one that poll(2) passes over.
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
