using Conntracker.Core.Decoding;
using Conntracker.Core.Sources;

namespace Conntracker.Core.Capture;

/// <summary>Reads what /proc tells of a process. For one thread.</summary>
internal sealed class ProcessReader
{
    private readonly ProcessFolder _folder = new();

    /// <summary>Reads a process; one that is gone has no facts and no name.</summary>
    /// <param name="id">The process id.</param>
    /// <param name="since">When it began, in nanoseconds of the kernel's monotonic clock; 0 when before the capture.</param>
    public KnownProcess Read(int id, ulong since)
    {
        KnownProcess process = new(id, since);
        if (_folder.TryOpen(id))
        {
            // The command line first: it is gone with the process, and that may be soon.
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
