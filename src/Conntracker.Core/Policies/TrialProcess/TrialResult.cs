namespace Conntracker.Core.Policies.TrialProcess;

/// <summary>A line that the process of a trial writes for each <see cref="TrialProbe"/>, in their order.</summary>
internal sealed record TrialResult
{
    /// <summary>The verdict on the first packet.</summary>
    public FlowVerdict Verdict { get; init; }

    /// <summary>The number of the rule that decided; null when none did.</summary>
    public int? Rule { get; init; }

    /// <summary>The verdict on the answer.</summary>
    public FlowVerdict ReplyVerdict { get; init; }

    /// <summary>The number of the rule that decided about the answer; null when none did.</summary>
    public int? ReplyRule { get; init; }

    /// <summary>Whether an answer was expected and tested.</summary>
    public bool HasReply { get; init; }

    /// <summary>The packet after NAT; null when it is as it was sent.</summary>
    public FlowTuple? Translated { get; init; }

    /// <summary>The steps of the first packet, by their numbers.</summary>
    public IReadOnlyList<int> Path { get; init; } = [];

    /// <summary>The steps of the answer.</summary>
    public IReadOnlyList<int> ReplyPath { get; init; } = [];

    /// <summary>Why a verdict is unknown, or an accepted flow does not work.</summary>
    public string? Reason { get; init; }

    /// <summary>What else the verdict depends on.</summary>
    public FlowTestDependency DependsOn { get; init; }

    /// <summary>Steps that no line before this one had; they get the next numbers.</summary>
    public IReadOnlyList<TraceStep> NewSteps { get; init; } = [];
}
