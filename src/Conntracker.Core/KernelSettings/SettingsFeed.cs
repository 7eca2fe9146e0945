





using Conntracker.Core.Feeds;

namespace Conntracker.Core.KernelSettings;

/// <summary>Looks once a second whether somebody else has changed settings of the kernel that a capture needs, and says so.</summary>
/// <param name="lease">The settings.</param>
/// <param name="consequence">What that means, as a sentence without its full stop.</param>
/// <param name="notices">Gets what the user ought to know.</param>
/// <param name="clock">The capture's time.</param>
internal sealed class SettingsFeed(SettingsLease lease, string consequence, CaptureNotices notices, CaptureClock clock) : IFeedSource
{
    private static readonly long s_interval = TimeSpan.FromSeconds(1).Ticks;

    /// <inheritdoc/>
    public int Number => -1;

    /// <summary>When to look again: ticks of <see cref="CaptureClock.Now"/>; <see cref="long.MaxValue"/> once it was said.</summary>
    public long Due { get; private set; } = clock.Now + s_interval;

    /// <inheritdoc/>
    public void Take()
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
        // The lease is another's.
    }

    private void Look()
    {
        try
        {
            if (lease.FindChanged() is string changed)
            {
                notices.Add($"changed {consequence}", $"Another program has changed a setting that this capture needs: {changed}. {consequence}. The setting is not restored.");
                Due = long.MaxValue;
            }
        }
        catch (ConntrackException)
        {
            // A notice less: no reason to end a capture.
        }
    }
}
