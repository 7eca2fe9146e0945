using Conntracker.Core.Flows;

namespace Conntracker.Core.Tracing;

/// <summary>The steps known at one moment: what a snapshot of flows needs to show their traces. Immutable.</summary>
internal sealed class TraceSnapshot
{
    private readonly Step[] _steps;
    private readonly int[] _same;
    private readonly string?[] _descriptions;

    /// <summary>Copies the steps of a table.</summary>
    public TraceSnapshot(StepTable? steps)
    {
        int count = steps?.Count ?? 0;
        Version = steps?.Version ?? 0;
        _steps = new Step[count];
        _same = new int[count];
        _descriptions = new string?[count];
        for (int i = 0; i < count; i++)
        {
            _same[i] = steps!.SameAs(i);
            _steps[i] = steps[_same[i]];
        }
    }

    /// <summary>No step at all.</summary>
    public static TraceSnapshot Empty { get; } = new(steps: null);

    /// <summary>The version of the table that was copied.</summary>
    public int Version { get; }

    /// <summary>A flow's steps in the order in which they first occurred, each with its count of packets.</summary>
    public IReadOnlyList<TraceStep> Trace(FlowDetailStore store, ref readonly FlowRecord record)
    {
        if (record.Details == 0)
        {
            return [];
        }

        List<(int Step, long Packets)> steps = [];
        foreach ((int step, uint packets, _) in store.Steps(in store[record.Details]))
        {
            // The same rule may have been reported before and after a change of the ruleset.
            int same = _same[step];
            int known = steps.FindIndex(each => each.Step == same);
            if (known < 0)
            {
                steps.Add((same, packets));
            }
            else
            {
                steps[known] = (same, steps[known].Packets + packets);
            }
        }

        return steps.Count == 0 ? [] : steps.ConvertAll(each => _steps[each.Step].View with { Packets = each.Packets });
    }

    /// <summary>Whether steps of a flow's packets are missing.</summary>
    public static bool IsIncomplete(FlowDetailStore store, ref readonly FlowRecord record) =>
        record.Details != 0 && (store[record.Details].Flags & FlowDetailFlags.StepsLeftOut) != 0;

    /// <summary>What the firewall did with a flow's first packet.</summary>
    public FlowVerdict Verdict(FlowDetailStore store, ref readonly FlowRecord record)
    {
        if (record.Details == 0)
        {
            return FlowVerdict.Unknown;
        }

        ref FlowDetails details = ref store[record.Details];

        // That connection tracking has confirmed a flow shows that a packet has passed, but not that a traced one has: for a flow that was confirmed
        // before its first trace it shows nothing.
        bool isConfirmedSince = (details.Flags & (FlowDetailFlags.BegunUnconfirmed | FlowDetailFlags.Taken)) == FlowDetailFlags.BegunUnconfirmed
            && !record.IsUnconfirmed;
        bool hasPassed = (details.Flags & FlowDetailFlags.Passed) != 0 || isConfirmedSince;
        return VerdictResolver.Verdict(details.DecidingStep == 0 ? StepOutcome.None : _steps[details.DecidingStep - 1].Outcome, hasPassed);
    }

    /// <summary>The rule or policy that decided, in one line; null when none has, or the verdict is not known.</summary>
    public string? VerdictRule(FlowDetailStore store, ref readonly FlowRecord record)
    {
        if (Verdict(store, in record) == FlowVerdict.Unknown || store[record.Details].DecidingStep == 0)
        {
            return null;
        }

        int step = store[record.Details].DecidingStep - 1;
        return _descriptions[step] ??= VerdictResolver.Describe(_steps[step].View);
    }
}
