namespace Conntracker;

/// <summary>How the process of a flow was found.</summary>
public enum ProcessSource : byte
{
    /// <summary>Not known: the flow was read from a text log, which does not say.</summary>
    Unknown = 0,

    /// <summary>Reported by a cgroup eBPF hook when the socket was used.</summary>
    Bpf = 1,

    /// <summary>Looked up with INET_DIAG and /proc.</summary>
    Diag = 2,
}
