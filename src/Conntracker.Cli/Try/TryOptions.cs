namespace Conntracker.Cli;

/// <summary>What <c>conntracker try</c> is asked to do.</summary>
/// <param name="Test">The rulesets and what is tested; its host is read from <paramref name="HostPath"/>.</param>
/// <param name="HostPath">The description of the host; null for this one.</param>
/// <param name="FlowsPath">The log, or the tree, that has the flows; null for another source.</param>
/// <param name="ReplayPath">The recording that has the flows; null for another source.</param>
/// <param name="Duration">How long flows are captured; null for another source. Without any source, the kernel's table is read once.</param>
/// <param name="Format">How the tests are printed.</param>
internal sealed record TryOptions(
    FirewallPolicyTestOptions Test, string? HostPath, string? FlowsPath, string? ReplayPath, TimeSpan? Duration, TryFormat Format);
