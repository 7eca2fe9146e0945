


namespace Conntracker.Core.Processes;

/// <summary>What /proc tells of a process; null where it does not.</summary>
/// <param name="CommandLine">Its arguments, parted by spaces.</param>
/// <param name="Path">The executable.</param>
/// <param name="Cgroup">Its cgroups.</param>
/// <param name="LoginUser">Who logged in, by the audit id.</param>
internal sealed record ProcessFacts(string? CommandLine, string? Path, CgroupText Cgroup, uint? LoginUser)
{
    /// <summary>Nothing is known.</summary>
    public static ProcessFacts None { get; } = new(null, null, default, null);
}
