





using Conntracker.Core.Recording;

namespace Conntracker.Core.Conntrack;

/// <summary>
/// When the kernel's table is read again, and why. A dump of a large table keeps a processor busy for seconds, so each pause is a multiple of
/// what the last dump took. Times are ticks of the caller's clock, which never goes back.
/// </summary>
internal sealed class DumpSchedule
{
    // Dumps that repair take at most a quarter of the time, those that follow flows without events a fiftieth, those that a user asks for a half.
    private const int RepairShare = 3;
    private const int FollowShare = 49;
    private const int AskedShare = 1;

    private static readonly long s_repairPause = TimeSpan.FromSeconds(1).Ticks;
    private static readonly long s_followPause = TimeSpan.FromMinutes(1).Ticks;
    private static readonly long s_longestRetryPause = TimeSpan.FromMinutes(1).Ticks;

    private DumpReason _reason;
    private long _began;
    private long _ended;
    private long _took;
    private bool _isStartNeeded;

    /// <summary>Whether events were lost since the last dump was asked for.</summary>
    public bool IsRepairNeeded { get; private set; }

    /// <summary>Whether a user waits for what the table says now.</summary>
    public bool IsRefreshWanted { get; set; }

    /// <summary>Whether the table was read to its end once.</summary>
    public bool HasRead { get; private set; }

    /// <summary>How many dumps in a row have failed.</summary>
    public int Failures { get; private set; }

    /// <summary>Events were lost.</summary>
    public void NeedRepair() => IsRepairNeeded = true;

    /// <summary>A dump is asked for: it answers whatever was wanted before.</summary>
    public void Begin(DumpReason reason, long now)
    {
        _reason = reason;
        _began = now;
        _isStartNeeded = false;
        IsRepairNeeded = false;
        IsRefreshWanted = false;
    }

    /// <summary>The dump came to its end.</summary>
    /// <param name="isWhole">Whether nothing may be missing in it.</param>
    /// <param name="now">The time.</param>
    public void End(bool isWhole, long now)
    {
        HasRead = true;
        Failures = 0;
        NoteEnd(isWhole, now);
    }

    /// <summary>The kernel broke the dump off, or did not begin it.</summary>
    public void Fail(long now)
    {
        Failures++;
        NoteEnd(isWhole: false, now);
    }

    /// <summary>Why the table is to be read next; null when it need not be.</summary>
    /// <param name="hasEventless">Whether there are open flows that only dumps can follow.</param>
    public DumpReason? Next(bool hasEventless) =>
        _isStartNeeded ? DumpReason.Start
        : IsRepairNeeded ? DumpReason.Repair
        : IsRefreshWanted || hasEventless ? DumpReason.Refresh
        : null;

    /// <summary>When that is due: ticks; <see cref="long.MaxValue"/> for never.</summary>
    /// <param name="hasEventless">Whether there are open flows that only dumps can follow.</param>
    public long Due(bool hasEventless)
    {
        long pause = Next(hasEventless) switch
        {
            null => long.MaxValue,
            DumpReason.Refresh when IsRefreshWanted => _took * AskedShare,
            DumpReason.Refresh => Math.Max(s_followPause, _took * FollowShare),
            _ => Math.Max(s_repairPause, _took * RepairShare),
        };
        if (Failures > 0)
        {
            pause = Math.Max(pause, Math.Min(s_longestRetryPause, s_repairPause << Math.Min(Failures - 1, 16)));
        }

        return pause == long.MaxValue ? long.MaxValue : _ended + pause;
    }

    private void NoteEnd(bool isWhole, long now)
    {
        _ended = now;
        _took = now - _began;
        _isStartNeeded |= !isWhole && _reason == DumpReason.Start;
        IsRepairNeeded |= !isWhole && _reason == DumpReason.Repair;
        IsRefreshWanted |= !isWhole && _reason == DumpReason.Refresh;
    }
}
