using System.Globalization;

namespace Conntracker.Core.Processes;

/// <summary>Whether /proc numbers processes as the host does, and therefore as the eBPF programs do.</summary>
internal static class PidNamespace
{
    // PROC_PID_INIT_INO (include/linux/proc_ns.h), which no user space header has: the inode of the initial pid namespace.
    private const uint FirstInode = 0xEFFFFFFC;

    /// <summary>
    /// False in a container without the host's processes: there, a number from the programs is that of another process or of none. The test reads
    /// process 1, because the mounted /proc may belong to another pid namespace than the caller.
    /// </summary>
    public static bool IsHosts { get; } = IsFirst(LinkOf("/proc/1/ns/pid") ?? LinkOf("/proc/self/ns/pid"));

    /// <summary>
    /// Whether the target of a link below /proc/PID/ns, <c>pid:[4026531836]</c>, is the initial namespace; true when it is not known.
    /// </summary>
    public static bool IsFirst(string? target)
    {
        int start = (target?.IndexOf('[', StringComparison.Ordinal) ?? -1) + 1;
        return start == 0 || !uint.TryParse(target.AsSpan(start).TrimEnd(']'), NumberStyles.None, CultureInfo.InvariantCulture, out uint inode)
            || inode == FirstInode;
    }

    private static string? LinkOf(string path)
    {
        try
        {
            return new FileInfo(path).LinkTarget;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
