namespace Conntracker.Core.Policies.TrialProcess;

/// <summary>The first line that the process of a trial writes: the rules that are loaded, or why there are none.</summary>
internal sealed record TrialReady
{
    /// <summary>The rules and policies, in their order; probes' results refer to them by number.</summary>
    public IReadOnlyList<FirewallRule> Rules { get; init; } = [];

    /// <summary>What of the host could not be built, one sentence each.</summary>
    public IReadOnlyList<string> Notices { get; init; } = [];

    /// <summary>What failed; null when the trial is ready.</summary>
    public string? Error { get; init; }

    /// <summary>The kind of <see cref="Error"/>.</summary>
    public ConntrackErrorReason ErrorReason { get; init; }
}
