using Conntracker.Core.Recording;

namespace Conntracker.Core.Conntrack;

/// <summary>
/// When the kernel's table is read again, and why. A dump of a large table keeps a processor busy for seconds, so each pause is a multiple of
/// the last dump's duration. Times are ticks of the caller's clock, which never goes backwards.
/// </summary>
internal sealed class DumpSchedule
{
    // Dumps for repairs take at most a quarter of the time, those for flows without events a fiftieth, those for a user's request a half.
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

    /// <summary>Whether events were lost since the last dump was requested.</summary>
    public bool IsRepairNeeded { get; private set; }

    /// <summary>Whether a user waits for the table's current content.</summary>
    public bool IsRefreshWanted { get; set; }

    /// <summary>Whether the table was read completely at least once.</summary>
    public bool HasRead { get; private set; }

    /// <summary>The number of dumps in a row that have failed.</summary>
    public int Failures { get; private set; }

    /// <summary>Notes that events were lost.</summary>
    public void NeedRepair() => IsRepairNeeded = true;

    /// <summary>Notes that a dump is requested: it answers everything that was wanted before.</summary>
    public void Begin(DumpReason reason, long now)
    {
        _reason = reason;
        _began = now;
        _isStartNeeded = false;
        IsRepairNeeded = false;
        IsRefreshWanted = false;
    }

    /// <summary>Notes that the dump has ended.</summary>
    /// <param name="isWhole">Whether no entry can be missing.</param>
    /// <param name="now">The time.</param>
    public void End(bool isWhole, long now)
    {
        HasRead = true;
        Failures = 0;
        NoteEnd(isWhole, now);
    }

    /// <summary>Notes that the kernel refused or aborted the dump.</summary>
    public void Fail(long now)
    {
        Failures++;
        NoteEnd(isWhole: false, now);
    }

    /// <summary>Why the table is to be read next; null if it need not be.</summary>
    /// <param name="hasEventless">Whether there are open flows that only dumps can follow.</param>
    public DumpReason? Next(bool hasEventless) =>
        _isStartNeeded ? DumpReason.Start
        : IsRepairNeeded ? DumpReason.Repair
        : IsRefreshWanted || hasEventless ? DumpReason.Refresh
        : null;

    /// <summary>When the next dump is due: ticks; <see cref="long.MaxValue"/> for never.</summary>
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
