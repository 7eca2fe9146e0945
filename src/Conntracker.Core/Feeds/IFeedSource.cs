



using Conntracker.Core.Conntrack;

namespace Conntracker.Core.Feeds;

/// <summary>
/// A further source of a <see cref="ConntrackFeed"/>, beside connection tracking: it puts its frames into the capture's sink. Called on
/// the capture's thread only.
/// </summary>
internal interface IFeedSource : IDisposable
{
    /// <summary>The descriptor that poll(2) waits for; -1 for none, when the source sets the capture's wakeup.</summary>
    int Number { get; }

    /// <summary>When <see cref="Take"/> is to be called at the latest, though nothing came: ticks of <see cref="CaptureClock.Now"/>; <see cref="long.MaxValue"/> for never.</summary>
    long Due { get; }

    /// <summary>Takes what is there, without waiting, and not more at a time than leaves connection tracking its turn.</summary>
    void Take();

    /// <summary>The capture is about to end: nothing that the kernel reports from now on is wanted, while events are still taken in.</summary>
    void Leave()
    {
    }

    /// <summary>The capture ends: takes what is queued, and nothing that comes from now on.</summary>
    void Finish();
}
