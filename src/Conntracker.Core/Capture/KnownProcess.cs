namespace Conntracker.Core.Capture;

/// <summary>A process while it runs one program: an exec begins another one under the same id.</summary>
/// <param name="id">The process id.</param>
/// <param name="since">When it began: nanoseconds of the kernel's monotonic clock; 0 when before the capture.</param>
internal sealed class KnownProcess(int id, ulong since)
{
    /// <summary>The process id.</summary>
    public int Id => id;

    /// <summary>When it began: nanoseconds of the kernel's monotonic clock; 0 when before the capture.</summary>
    public ulong Since => since;

    /// <summary>The name of its first thread; null when not known.</summary>
    public string? Name { get; set; }

    /// <summary>What /proc told.</summary>
    public ProcessFacts Facts { get; set; } = ProcessFacts.None;

    /// <summary>Whether the facts are its parent's, and it may have changed them since.</summary>
    public bool IsInherited { get; set; }

    /// <summary>What had this id before: sockets of that time are its.</summary>
    public KnownProcess? Earlier { get; set; }

    /// <summary>The number under which it was reported last; 0 when it was not.</summary>
    public int Number { get; set; }

    /// <summary>What it was reported as: another user, name or cgroup makes another report.</summary>
    public ReportKey ReportedAs { get; set; }
}

/// <summary>What may differ from one socket of a process to the next.</summary>
/// <param name="Name">The name of the thread, 16 bytes, when it is the first one; otherwise 0.</param>
/// <param name="User">The user.</param>
/// <param name="Cgroup">The cgroup's id.</param>
/// <param name="Source">How it is known.</param>
/// <param name="Scope">Where the socket is.</param>
internal readonly record struct ReportKey(UInt128 Name, uint User, ulong Cgroup, ProcessSource Source, Decoding.SocketScope Scope);
