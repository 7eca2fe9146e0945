using System.Diagnostics;
using Conntracker.Core.Native;
using Tmds.Linux;
using static Conntracker.Core.Native.ClockConstants;

namespace Conntracker.Core.Processes;

/// <summary>Reads the facts of a process from /proc. For one thread.</summary>
internal sealed class ProcessReader : IProcessReader
{
    private const ulong NanosecondsPerSecond = 1_000_000_000;

    private readonly ProcDirectory _folder = new();
    private readonly CgroupMounts _cgroups = CgroupMounts.Read();

    /// <inheritdoc/>
    public ulong Now => (ulong)Stopwatch.GetTimestamp();

    /// <inheritdoc/>
    public KnownProcess Read(int id, ulong since)
    {
        ulong now = Now;
        if (!_folder.TryOpen(id))
        {
            return new KnownProcess(id, since) { Proven = now };
        }

        // First of all: if it starts another program while it is read, it is read again the next time.
        ProcessStat? stat = since == 0 && ProcessStat.TryParse(_folder.Read("stat"), out ProcessStat read) ? read : null;
        KnownProcess process = new(id, stat is null ? since : StartOf(stat.Value, now)) { Stat = stat, Proven = now };

        // Then the command line: it is gone with the process, perhaps soon.
        string? commandLine = ProcessText.CommandLine(_folder.Read("cmdline"));
        string? path = ProcessText.Path(_folder.ReadLink("exe"));
        process.Name = ProcessText.NameLine(_folder.Read("comm"));
        uint? loginUser = ProcessText.LoginUser(_folder.Read("loginuid"));
        CgroupText cgroup = CgroupText.Parse(_folder.Read("cgroup"), _cgroups, CgroupOwner.IsRoot);
        process.Facts = new ProcessFacts(commandLine, path, cgroup, loginUser);
        _folder.Close();
        return process;
    }

    /// <inheritdoc/>
    public ProcessStat? ReadStat(int id)
    {
        if (!_folder.TryOpen(id))
        {
            return null;
        }

        bool isThere = ProcessStat.TryParse(_folder.Read("stat"), out ProcessStat stat);
        _folder.Close();
        return isThere ? stat : null;
    }

    // By the monotonic clock, which stops while the host is suspended. Never later than the real start: fractions of ticks are dropped, and a
    // suspension since then is subtracted as well.
    private static unsafe ulong StartOf(ProcessStat stat, ulong now)
    {
        timespec boot;
        _ = SafeLibC.clock_gettime(CLOCK_BOOTTIME, &boot);
        ulong sinceBoot = ((ulong)(long)boot.tv_sec * NanosecondsPerSecond) + (ulong)(long)boot.tv_nsec;
        ulong suspended = sinceBoot > now ? sinceBoot - now : 0;
        ulong start = stat.Start * (NanosecondsPerSecond / ProcessStat.TicksPerSecond);
        return start > suspended ? start - suspended : 0;
    }
}
