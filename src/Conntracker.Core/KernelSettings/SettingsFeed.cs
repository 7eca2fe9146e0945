using Conntracker.Core.Feeds;

namespace Conntracker.Core.KernelSettings;

/// <summary>Checks once a second whether another program has changed kernel settings that a capture needs, and reports it.</summary>
/// <param name="lease">The settings.</param>
/// <param name="consequence">What the change means, as a sentence without its full stop.</param>
/// <param name="notices">Receives the notice for the user.</param>
/// <param name="clock">The capture's time.</param>
internal sealed class SettingsFeed(SettingsLease lease, string consequence, CaptureNotices notices, CaptureClock clock) : IFeedSource
{
    private static readonly long s_interval = TimeSpan.FromSeconds(1).Ticks;

    /// <inheritdoc/>
    public int Number => -1;

    /// <summary>When to check next: ticks of <see cref="CaptureClock.Now"/>; <see cref="long.MaxValue"/> once the change was reported.</summary>
    public long Due { get; private set; } = clock.Now + s_interval;

    /// <inheritdoc/>
    public void Receive()
    {
        if (clock.Now >= Due)
        {
            Due = clock.Now + s_interval;
            Look();
        }
    }

    /// <inheritdoc/>
    public void Finish()
    {
        if (Due != long.MaxValue)
        {
            Look();
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        // The lease belongs to its owner.
    }

    private void Look()
    {
        try
        {
            if (lease.FindChanged() is string changed)
            {
                notices.Add($"changed {consequence}",
                    $"Another program has changed a setting that this capture needs: {changed}. {consequence}. The setting is not restored.");
                Due = long.MaxValue;
            }
        }
        catch (ConntrackException)
        {
            // A missing notice is no reason to end a capture.
        }
    }
}
