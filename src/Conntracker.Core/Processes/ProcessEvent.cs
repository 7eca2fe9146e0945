namespace Conntracker.Core.Processes;

/// <summary>An event of a process, as the proc connector reports it.</summary>
internal struct ProcessEvent
{
    /// <summary>What happened.</summary>
    public ProcessEventKind Kind;

    /// <summary>The process (thread group).</summary>
    public int Process;

    /// <summary>The process that it was forked from; 0 for other events.</summary>
    public int Parent;

    /// <summary>The time: nanoseconds of the kernel's monotonic clock.</summary>
    public ulong Time;

    /// <summary>The new name; null for other events.</summary>
    public string? Name;
}

/// <summary>What happened to a process.</summary>
internal enum ProcessEventKind
{
    /// <summary>It began as a copy of its parent.</summary>
    Fork,

    /// <summary>It runs another program.</summary>
    Exec,

    /// <summary>It has another name.</summary>
    Rename,
}
