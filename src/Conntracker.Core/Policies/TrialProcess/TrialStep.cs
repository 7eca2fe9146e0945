using Conntracker.Core.Tracing;

namespace Conntracker.Core.Policies.TrialProcess;

/// <summary>A step that packets of the trial met, resolved once.</summary>
/// <param name="Number">Its number, in the order in which steps were met first; -1 for a step of the trial's own tables.</param>
/// <param name="View">What users see of it.</param>
/// <param name="Rule">The number of its rule or policy; -1 when it has none.</param>
/// <param name="Outcome">Its effect.</param>
/// <param name="Rank">How much it explains.</param>
/// <param name="Priority">The priority of its base chain; null when not known.</param>
/// <param name="Own">Which of the trial's own chains it is in.</param>
internal sealed record TrialStep(int Number, TraceStep View, int Rule, StepOutcome Outcome, int Rank, int? Priority, OwnChain Own);

/// <summary>The trial's own chains.</summary>
internal enum OwnChain : byte
{
    /// <summary>None: a chain of the ruleset.</summary>
    None,

    /// <summary>A chain that sees a packet first.</summary>
    First,

    /// <summary>The last chain of the hook input.</summary>
    LastInput,

    /// <summary>The last chain of the hook postrouting.</summary>
    LastPostrouting,
}
