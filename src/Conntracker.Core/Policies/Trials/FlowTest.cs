namespace Conntracker;

/// <summary>What a ruleset does to a flow: the kernel's own answer to one packet of it, and to the packet that answers.</summary>
public sealed record FlowTest
{
    /// <summary>The flow that was tested.</summary>
    public required Flow Flow { get; init; }

    /// <summary>The verdict that the flow had when it was captured (<see cref="Flow.Verdict"/>), or with the ruleset that it is compared with.</summary>
    public FlowVerdict OldVerdict { get; init; }

    /// <summary>The rule that decided <see cref="OldVerdict"/>, where two rulesets are compared; otherwise null.</summary>
    public FirewallRule? OldRule { get; init; }

    /// <summary>The verdict on the answer with the ruleset that is compared with; Unknown where none is.</summary>
    public FlowVerdict OldReplyVerdict { get; init; }

    /// <summary>The verdict on the first packet. Unknown when the kernel gave none; <see cref="Reason"/> says why.</summary>
    public required FlowVerdict Verdict { get; init; }

    /// <summary>The rule or policy that decided; null when no base chain saw the packet, and when the verdict is unknown.</summary>
    public FirewallRule? Rule { get; init; }

    /// <summary>
    /// The verdict on the answer. Unknown when the first packet was not accepted, and for protocols to which nobody answers; <see cref="Reason"/> says why
    /// it is unknown otherwise.
    /// </summary>
    public FlowVerdict ReplyVerdict { get; init; }

    /// <summary>The rule or policy that decided about the answer; null when none did.</summary>
    public FirewallRule? ReplyRule { get; init; }

    /// <summary>The packet's addresses and ports after NAT; null when NAT changed nothing, or the packet was not accepted.</summary>
    public FlowTuple? Translated { get; init; }

    /// <summary>The rules and policies that the first packet met, in the order in which it met them.</summary>
    public IReadOnlyList<TraceStep> Path { get; init; } = [];

    /// <summary>The rules and policies that the answer met.</summary>
    public IReadOnlyList<TraceStep> ReplyPath { get; init; } = [];

    /// <summary>
    /// Whether the verdict is another one than <see cref="OldVerdict"/>, counting a flow whose answer is not accepted as not accepted. Null when
    /// either is unknown.
    /// </summary>
    public bool? Changed { get; init; }

    /// <summary>Why a verdict is unknown, or why an accepted flow does not work; null otherwise.</summary>
    public string? Reason { get; init; }

    /// <summary>What else the verdict depends on, because a rule on the path does.</summary>
    public FlowTestDependency DependsOn { get; init; }

    /// <summary>The flow and the verdict.</summary>
    public override string ToString() => $"{Verdict}: {Flow}";
}
