namespace Conntracker.Core.Processes;

/// <summary>A process while it runs one program: an exec begins another one under the same id.</summary>
/// <param name="id">The process id.</param>
/// <param name="since">When it began, or not before: nanoseconds of the kernel's monotonic clock; 0 when not known.</param>
internal sealed class KnownProcess(int id, ulong since)
{
    private const int MaximumReports = 4;

    private readonly List<(ReportKey Key, int Number)> _reports = [];
    private ulong _proven;

    /// <summary>The process id.</summary>
    public int Id => id;

    /// <summary>When it began, or not before: nanoseconds of the kernel's monotonic clock; 0 when not known.</summary>
    public ulong Since => since;

    /// <summary>What distinguishes it from others with its id; null when that was not read, because an event reported the process.</summary>
    public ProcessStat? Stat { get; init; }

    /// <summary>The last time at which it is known to have had the id: nanoseconds of the kernel's monotonic clock.</summary>
    public ulong Proven
    {
        get => Math.Max(_proven, since);
        set => _proven = value;
    }

    /// <summary>The name of its first thread; null when not known.</summary>
    public string? Name { get; set; }

    /// <summary>Its facts from /proc.</summary>
    public ProcessFacts Facts { get; set; } = ProcessFacts.None;

    /// <summary>Whether the facts are copies of its parent's, which it may have changed since.</summary>
    public bool IsInherited { get; set; }

    /// <summary>The number of bytes with which its texts were counted.</summary>
    public long TextSize { get; set; }

    /// <summary>The process that had this id before: earlier sockets belong to it.</summary>
    public KnownProcess? Earlier { get; set; }

    /// <summary>The number under which it was reported with this key; 0 when it was not, or too many others were reported since.</summary>
    /// <param name="key">The key: another user, name or cgroup needs another report.</param>
    /// <param name="oldest">Lower numbers no longer count.</param>
    public int NumberOf(in ReportKey key, int oldest)
    {
        foreach ((ReportKey known, int number) in _reports)
        {
            if (number > oldest && known == key)
            {
                return number;
            }
        }

        return 0;
    }

    /// <summary>Remembers that it was reported with this key.</summary>
    public void Remember(in ReportKey key, int number)
    {
        if (_reports.Count == MaximumReports)
        {
            _reports.RemoveAt(0);
        }

        _reports.Add((key, number));
    }

    /// <summary>Forgets all reports.</summary>
    public void Forget() => _reports.Clear();
}

/// <summary>What may differ from one socket of a process to the next.</summary>
/// <param name="Name">The name of the thread, 16 bytes, when it is the first one, or nothing else is known; otherwise 0.</param>
/// <param name="User">The user that used the socket, or the socket's.</param>
/// <param name="RealUser">The process's real user; null when not known.</param>
/// <param name="Cgroup">The cgroup's id.</param>
/// <param name="Source">How it is known.</param>
/// <param name="Scope">Where the socket is.</param>
/// <param name="Namespace">The cookie of the socket's network namespace; 0 when not known.</param>
internal readonly record struct ReportKey(
    UInt128 Name, uint User, uint? RealUser, ulong Cgroup, ProcessSource Source, SocketScope Scope, ulong Namespace);
