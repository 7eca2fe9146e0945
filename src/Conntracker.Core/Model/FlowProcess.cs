using Conntracker.Core.Model;

namespace Conntracker;

/// <summary>The process behind a flow.</summary>
public sealed class FlowProcess
{
    /// <summary>
    /// The process id (thread group id), as the host numbers it. 0 when the capture runs in a pid namespace that is not the host's: Name, the
    /// users and Cgroup are then known, CommandLine and Path are not.
    /// </summary>
    public required int Id { get; init; }

    /// <summary>The process's name (comm), exactly as in the kernel.</summary>
    public required string Name { get; init; }

    /// <summary>The full command line, arguments separated by spaces; null when not known.</summary>
    public string? CommandLine { get; init; }

    /// <summary>The path of the executable; null when not known.</summary>
    public string? Path { get; init; }

    /// <summary>
    /// The number of the user who logged in (the audit id, which su, sudo and setuid leave as it is); where nobody did, of the user that used the socket.
    /// Null when not known.
    /// </summary>
    public uint? UserId { get; init; }

    /// <summary>The name of <see cref="UserId"/>; null when not known.</summary>
    public string? UserName { get; init; }

    /// <summary>
    /// The number of the real user of the process, with <see cref="ProcessSource.Bpf"/> when it used the socket (bpf_get_current_uid_gid), with
    /// <see cref="ProcessSource.Diag"/> when the socket was looked up (/proc/PID/status). It differs from <see cref="UserId"/> after su and sudo, and in
    /// a daemon that gave up its rights. Null when not known: a text log does not hold it.
    /// </summary>
    public uint? RealUserId { get; init; }

    /// <summary>The name of <see cref="RealUserId"/>; null when not known.</summary>
    public string? RealUserName { get; init; }

    /// <summary>The path in the cgroup2 hierarchy, including names that users with a delegated cgroup chose; null when not known.</summary>
    public string? Cgroup { get; init; }

    /// <summary>The systemd unit: the outermost one, if root named it; null if there is none.</summary>
    public string? Unit { get; init; }

    /// <summary>The container's id, for LXC its name, if root named its cgroup; null if there is none, and for a rootless container.</summary>
    public string? Container { get; init; }

    /// <summary>How the process was found.</summary>
    public ProcessSource Source { get; init; }

    /// <summary>Name and id, safe for a terminal: a process chooses its own name.</summary>
    public override string ToString() => $"{SafeText.Printable(Name)} ({Id})";
}
