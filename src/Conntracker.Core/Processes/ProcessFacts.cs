namespace Conntracker.Core.Processes;

/// <summary>The facts of a process from /proc; null where they cannot be read.</summary>
/// <param name="CommandLine">Its arguments, separated by spaces.</param>
/// <param name="Path">The executable.</param>
/// <param name="Cgroup">Its cgroups.</param>
/// <param name="LoginUser">The user who logged in, by the audit id.</param>
internal sealed record ProcessFacts(string? CommandLine, string? Path, CgroupText Cgroup, uint? LoginUser)
{
    /// <summary>Nothing is known.</summary>
    public static ProcessFacts None { get; } = new(null, null, default, null);
}
