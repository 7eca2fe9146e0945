using Conntracker.Core.Flows;

namespace Conntracker.Core.Tracing;

/// <summary>
/// Finds the step that decided a flow's first packet. A packet traverses many base chains, and each ends with a verdict: one that drops it decides.
/// Among those that let it pass, a rule decides rather than a policy, and filtering rather than mangling, nat or raw, at the hooks where hosts
/// filter; the last one among equals.
/// </summary>
internal static class VerdictResolver
{
    private const int DropRank = 100;

    /// <summary>How much a step explains.</summary>
    /// <param name="outcome">Its effect.</param>
    /// <param name="type">Rule or policy.</param>
    /// <param name="engine">The packet filter: tables of iptables are recognized by their names.</param>
    /// <param name="table">The table's name.</param>
    /// <param name="hook">The hook; null when not known.</param>
    /// <param name="chainType">nftables: the base chain's type; null when not known.</param>
    public static int Rank(StepOutcome outcome, TraceStepType type, TraceEngine engine, string table, string? hook, string? chainType)
    {
        bool filters = engine == TraceEngine.Iptables ? table is "filter" or "security" : chainType is null or "filter";
        bool isFilterHook = hook is null or "input" or "forward" or "output";
        int rule = type == TraceStepType.Rule ? 1 : 0;
        return outcome switch
        {
            StepOutcome.None => 0,
            StepOutcome.Accept when filters && isFilterHook => 40 + rule,
            StepOutcome.Accept when isFilterHook => 20 + rule,
            StepOutcome.Accept => 10 + rule,
            _ => DropRank,
        };
    }

    /// <summary>Considers a step of the original direction, before it is added to the flow's steps.</summary>
    /// <param name="details">The flow's details.</param>
    /// <param name="number">The step's number.</param>
    /// <param name="store">The store of the flow's steps.</param>
    /// <param name="steps">The steps.</param>
    /// <returns>True when it has decided that the packet is dropped or rejected.</returns>
    public static bool Apply(ref FlowDetails details, int number, FlowDetailStore store, StepTable steps)
    {
        Step step = steps[number];
        bool isEnd = step.Outcome >= StepOutcome.Drop;
        bool hasEnded = details.DecidingStep != 0 && steps[details.DecidingStep - 1].Outcome >= StepOutcome.Drop;
        bool isOver = hasEnded || (isEnd && (details.Flags & FlowDetailFlags.Passed) != 0);
        if (step.Outcome == StepOutcome.None || isOver || HasPassed(ref details, number, step, store, steps))
        {
            return false;
        }

        if (details.DecidingStep != 0 && steps[details.DecidingStep - 1] is Step before
            && (before.Rank > step.Rank || (before.Rank == step.Rank && IsLater(before, step))))
        {
            return false;
        }

        details.DecidingStep = number + 1;
        return isEnd;
    }

    /// <summary>The verdict on a flow.</summary>
    /// <param name="outcome">The effect of the step that decided; <see cref="StepOutcome.None"/> when there is none.</param>
    /// <param name="hasPassed">Whether the first packet, or the flow, is known to have passed all rules.</param>
    public static FlowVerdict Verdict(StepOutcome outcome, bool hasPassed) => outcome switch
    {
        StepOutcome.Drop => FlowVerdict.Dropped,
        StepOutcome.Reject => FlowVerdict.Rejected,
        _ when hasPassed => FlowVerdict.Accepted,
        _ => FlowVerdict.Unknown,
    };

    /// <summary>The step that decided, in one line: <c>inet firewall forward #4: tcp dport 22 drop comment "no ssh"</c>.</summary>
    public static string Describe(TraceStep step)
    {
        string where = step.Family is null ? $"{step.Table} {step.Chain}" : $"{step.Family} {step.Table} {step.Chain}";
        string text = step.Type switch
        {
            TraceStepType.Policy => $"{where} policy {(step.Engine == TraceEngine.Iptables ? step.Verdict?.ToUpperInvariant() : step.Verdict)}",
            _ when step.Position is int position => $"{where} #{position}",
            _ => $"{where} handle {step.Handle}",
        };
        text = step.Type != TraceStepType.Policy && step.Rule is string rule ? $"{text}: {rule}" : text;
        return step.Comment is string comment && step.Engine == TraceEngine.Nftables ? $"{text} comment \"{comment}\"" : text;
    }

    // The engines report independently, one ahead of the other: hooks and priorities show which step the packet met last.
    private static bool IsLater(Step reportedBefore, Step step)
    {
        if (reportedBefore.View.Engine == step.View.Engine || reportedBefore.Priority is not int priority || step.Priority is not int other)
        {
            return false;
        }

        int hook = SlotOf(reportedBefore.View.Hook);
        int otherHook = SlotOf(step.View.Hook);
        return hook != 0 && otherHook != 0 && (hook > otherHook || (hook == otherHook && priority > other));
    }

    // In the order in which packets traverse them; a packet from a host to itself goes out first.
    private static int SlotOf(string? hook) => hook switch
    {
        "prerouting" or "output" => 1,
        "forward" => 2,
        "input" => 3,
        "postrouting" => 4,
        _ => 0,
    };

    // Whether a packet of the originator has reached the end of this base chain before: then this one is not the first.
    private static bool HasPassed(ref FlowDetails details, int number, Step step, FlowDetailStore store, StepTable steps)
    {
        foreach ((int other, _, bool ofOriginator) in store.Steps(in details))
        {
            if (ofOriginator && (other == number || (steps[other].Base == step.Base && steps[other].Outcome != StepOutcome.None)))
            {
                return true;
            }
        }

        return false;
    }
}
