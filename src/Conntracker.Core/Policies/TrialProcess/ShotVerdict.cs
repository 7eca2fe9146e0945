using Conntracker.Core.Tracing;

namespace Conntracker.Core.Policies.TrialProcess;

/// <summary>Concludes from the reports about a packet what the ruleset did to it.</summary>
internal readonly record struct ShotVerdict(FlowVerdict Verdict, TrialStep? Decider, string? Reason)
{
    /// <summary>The verdict on a packet.</summary>
    public static ShotVerdict Of(Shot shot)
    {
        if (shot.IsIncomplete)
        {
            return Unknown("more rules reported the packet than the kernel's buffer holds");
        }

        if (shot.End != OwnChain.None)
        {
            return new ShotVerdict(FlowVerdict.Accepted, Accepting(shot), null);
        }

        // nftables reports what dropped the packet. iptables-legacy reports rules that matched: the last one dropped it, if its target does that.
        if (shot.Drop is TrialStep step)
        {
            return step.Outcome == StepOutcome.Reject
                ? new ShotVerdict(FlowVerdict.Rejected, step, IsAnswerLost(shot) ? "the answer of the rule is dropped: its sender is not notified" : null)
                : new ShotVerdict(FlowVerdict.Dropped, step, null);
        }

        return shot.LastStep?.View.Verdict switch
        {
            "queue" => Unknown("a program decides: the rule queues the packet"),
            "stolen" => Unknown("a rule took the packet to answer it itself (synproxy, fwd or dup)"),
            _ => Unknown(null),
        };
    }

    private static ShotVerdict Unknown(string? reason) => new(FlowVerdict.Unknown, null, reason);

    private static bool IsAnswerLost(Shot shot) => shot.AnswersBegun > 0 && shot.AnswersEnded == 0 && shot.AnswerDrop is not null;

    private static TrialStep? Accepting(Shot shot)
    {
        TrialStep? best = null;
        foreach (TrialStep step in shot.Steps)
        {
            if (step.Outcome == StepOutcome.Accept && (best is null || step.Rank > best.Rank || (step.Rank == best.Rank && !IsLater(best, step))))
            {
                best = step;
            }
        }

        return best;
    }

    // Steps of one engine are in their order; of two engines, hooks and priorities show which the packet met last.
    private static bool IsLater(TrialStep first, TrialStep second) =>
        first.View.Engine != second.View.Engine && first.View.Hook == second.View.Hook && first.Priority > second.Priority;
}
