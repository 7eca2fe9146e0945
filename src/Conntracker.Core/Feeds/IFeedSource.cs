namespace Conntracker.Core.Feeds;

/// <summary>
/// A source of messages besides connection tracking. It passes its messages to the capture's sink. Called on
/// the capture's thread only.
/// </summary>
internal interface IFeedSource : IDisposable
{
    /// <summary>The descriptor that poll(2) waits for; -1 if the source sets the capture's wakeup instead.</summary>
    int Number { get; }

    /// <summary>
    /// The latest time to call <see cref="Receive"/>, even if nothing came: ticks of <see cref="CaptureClock.Now"/>; <see cref="long.MaxValue"/> for never.
    /// </summary>
    long Due { get; }

    /// <summary>Reads what is queued, without waiting, and only as much at a time as leaves connection tracking its turn.</summary>
    void Receive();

    /// <summary>The capture is about to end: nothing that the kernel reports from now on is needed, while events are still read.</summary>
    void Leave()
    {
    }

    /// <summary>The capture ends: reads what is queued, and nothing that comes later.</summary>
    void Finish();
}
