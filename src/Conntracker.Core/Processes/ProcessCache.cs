using System.Collections.Concurrent;

namespace Conntracker.Core.Processes;

/// <summary>
/// The processes of the host that forks, execs and sockets have reported, including those that have ended. Bounded in their number and in the memory
/// of their texts; the oldest are dropped, and read again while they live. Its owner must lock it, except for <see cref="Knows"/>.
/// </summary>
internal sealed class ProcessCache
{
    private const int MaximumProcesses = 32_768;
    private const int MaximumTextSize = 32 << 20;

    private readonly ConcurrentDictionary<int, KnownProcess> _processes = new();
    private readonly Queue<KnownProcess> _order = new();
    private long _textSize;

    /// <summary>Whether a process with this id is known.</summary>
    public bool Knows(int id) => _processes.ContainsKey(id);

    /// <summary>Handles an event of the proc connector.</summary>
    /// <param name="happened">The event.</param>
    /// <param name="known">For an exec, the process as it was read; for a fork, its parent, when that was read.</param>
    public void Take(in ProcessEvent happened, KnownProcess? known)
    {
        switch (happened.Kind)
        {
            case ProcessEventKind.Exec when known is not null:
                Add(known);
                break;
            case ProcessEventKind.Fork:
                if (known is not null)
                {
                    Add(known);
                }

                KnownProcess? parent = Newest(happened.Parent);
                Add(new KnownProcess(happened.Process, happened.Time) { Name = parent?.Name, Facts = parent?.Facts ?? ProcessFacts.None, IsInherited = true });
                break;
            case ProcessEventKind.Rename when Newest(happened.Process) is KnownProcess renamed:
                renamed.Name = happened.Name;
                break;
            default:
                break;
        }
    }

    /// <summary>The process that had an id at a time; null when it is not known.</summary>
    /// <param name="id">The process id.</param>
    /// <param name="time">Nanoseconds of the kernel's monotonic clock.</param>
    public KnownProcess? Find(int id, ulong time)
    {
        KnownProcess? found = Newest(id);
        while (found is not null && found.Since > time)
        {
            found = found.Earlier;
        }

        return found;
    }

    /// <summary>Adds a process. One that began earlier does not replace a later one.</summary>
    /// <param name="process">The process.</param>
    /// <param name="replaced">The one that had the id before and is known to have lost it; null for none.</param>
    public void Add(KnownProcess process, KnownProcess? replaced = null)
    {
        KnownProcess? earlier = Newest(process.Id);
        if (earlier is not null && earlier != replaced && earlier.Since > process.Since)
        {
            return;
        }

        if (earlier is not null)
        {
            // One earlier process is enough: sockets are reported within milliseconds.
            earlier.Earlier = null;
        }

        process.Earlier = earlier;
        _processes[process.Id] = process;
        _order.Enqueue(process);
        process.TextSize = SizeOf(process);
        _textSize += process.TextSize;
        while (_order.Count > MaximumProcesses || _textSize > MaximumTextSize)
        {
            KnownProcess oldest = _order.Dequeue();
            _textSize -= oldest.TextSize;
            KnownProcess? newest = Newest(oldest.Id);
            if (newest == oldest)
            {
                _processes.TryRemove(oldest.Id, out _);
            }
            else if (newest?.Earlier == oldest)
            {
                newest.Earlier = null;
            }
        }
    }

    /// <summary>
    /// Adds an unknown process for an id at a time: it has ended, and the process that has the id now began later. Returns the added one.
    /// </summary>
    public KnownProcess AddUnknown(int id, ulong time)
    {
        KnownProcess unknown = new(id, since: 0) { Proven = ulong.MaxValue };
        if (Newest(id) is { Earlier: null } newest && newest.Since > time)
        {
            newest.Earlier = unknown;
        }

        return unknown;
    }

    /// <summary>A process that began as a copy of its parent was read itself: its own facts replace the copy's, unless it had ended by then.</summary>
    public void Flush(KnownProcess inherited, KnownProcess own)
    {
        inherited.IsInherited = false;
        if (own.Facts.CommandLine is not null && Newest(inherited.Id) == inherited)
        {
            inherited.Facts = own.Facts;
            inherited.Name = own.Name;
            _textSize -= inherited.TextSize;
            inherited.TextSize = SizeOf(inherited);
            _textSize += inherited.TextSize;
        }
    }

    // Texts that a fork shares with its parent count for both: the parent may be dropped first.
    private static long SizeOf(KnownProcess process)
    {
        ProcessFacts facts = process.Facts;
        return ProcessText.MemoryOf(process.Name, facts.CommandLine, facts.Path, facts.Cgroup.Path, facts.Cgroup.Unit, facts.Cgroup.Container);
    }

    private KnownProcess? Newest(int id) => _processes.GetValueOrDefault(id);
}
