namespace Conntracker.Core.Processes;

/// <summary>Reads the current state of processes. For one thread.</summary>
internal interface IProcessReader
{
    /// <summary>Nanoseconds of the kernel's monotonic clock.</summary>
    ulong Now { get; }

    /// <summary>Reads a process; one that has ended has neither facts nor a name.</summary>
    /// <param name="id">The process id.</param>
    /// <param name="since">When it started its program, in nanoseconds of the kernel's monotonic clock; 0 when that must be read as well.</param>
    KnownProcess Read(int id, ulong since);

    /// <summary>What distinguishes a process from others with its id; null for one that has ended.</summary>
    /// <param name="id">The process id.</param>
    ProcessStat? ReadStat(int id);
}
