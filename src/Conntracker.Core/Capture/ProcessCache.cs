using Conntracker.Core.Decoding;
using Conntracker.Core.Sources;

namespace Conntracker.Core.Capture;

/// <summary>
/// The processes of the host as far as forks, execs and sockets told of them, also those that are gone by now: a process that lives a few
/// milliseconds is read the moment it begins its program. Bounded; the oldest give way, and are read again when they live. One thread.
/// </summary>
internal sealed class ProcessCache
{
    private const int MaximumProcesses = 32_768;
    private const int MaximumTextLength = 16 << 20;

    private readonly Dictionary<int, KnownProcess> _processes = [];
    private readonly Queue<KnownProcess> _order = new();
    private readonly ProcessFolder _folder = new();
    private long _textLength;

    /// <summary>Takes in what the proc connector told.</summary>
    public void Take(in ProcessEvent happened)
    {
        switch (happened.Kind)
        {
            case ProcessEventKind.Exec:
                Add(Read(happened.Process, happened.Time));
                break;
            case ProcessEventKind.Fork:
                KnownProcess parent = Newest(happened.Parent) ?? Add(Read(happened.Parent, since: 0));
                Add(new KnownProcess(happened.Process, happened.Time) { Name = parent.Name, Facts = parent.Facts, IsInherited = true });
                break;
            case ProcessEventKind.Rename when Newest(happened.Process) is KnownProcess renamed:
                renamed.Name = happened.Name;
                break;
            default:
                break;
        }
    }

    /// <summary>The process that had an id at a time.</summary>
    /// <param name="id">The process id.</param>
    /// <param name="time">Nanoseconds of the kernel's monotonic clock.</param>
    public KnownProcess Find(int id, ulong time)
    {
        KnownProcess? found = Newest(id);
        while (found is not null && found.Since > time)
        {
            found = found.Earlier;
        }

        if (found is null)
        {
            return Add(Read(id, since: 0));
        }

        if (found.IsInherited)
        {
            found.IsInherited = false;
            KnownProcess own = Read(id, found.Since);
            if (own.Facts.CommandLine is not null && Newest(id) == found)
            {
                found.Facts = own.Facts;
                found.Name = own.Name;
            }
        }

        return found;
    }

    private static int LengthOf(KnownProcess process) => process.Facts.CommandLine?.Length ?? 0;

    private KnownProcess? Newest(int id) => _processes.GetValueOrDefault(id);

    private KnownProcess Add(KnownProcess process)
    {
        KnownProcess? earlier = Newest(process.Id);
        if (earlier is not null)
        {
            // One step back is enough: sockets are reported within milliseconds.
            earlier.Earlier = null;
        }

        if (earlier is not null && process.Since == 0 && earlier.Since > 0)
        {
            // Read now for a socket of an earlier time: it is of the newest program, not of that time's.
            return earlier;
        }

        process.Earlier = earlier;
        _processes[process.Id] = process;
        _order.Enqueue(process);
        _textLength += LengthOf(process);
        while (_order.Count > MaximumProcesses || _textLength > MaximumTextLength)
        {
            KnownProcess oldest = _order.Dequeue();
            _textLength -= LengthOf(oldest);
            if (Newest(oldest.Id) == oldest)
            {
                _processes.Remove(oldest.Id);
            }
        }

        return process;
    }

    // The command line first: it is gone with the process, and that may be soon.
    private KnownProcess Read(int id, ulong since)
    {
        KnownProcess process = new(id, since);
        if (_folder.TryOpen(id))
        {
            string? commandLine = ProcessText.CommandLine(_folder.Read("cmdline"));
            string? path = ProcessText.Path(_folder.ReadLink("exe"));
            process.Name = ProcessText.NameLine(_folder.Read("comm"));
            CgroupText cgroup = CgroupText.Parse(_folder.Read("cgroup"));
            process.Facts = new ProcessFacts(commandLine, path, cgroup, ProcessText.LoginUser(_folder.Read("loginuid")));
            _folder.Close();
        }

        return process;
    }
}
