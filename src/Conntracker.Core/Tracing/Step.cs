namespace Conntracker.Core.Tracing;

/// <summary>A step of a trace: what users see of it, and what it means for the verdict.</summary>
/// <param name="View">What users see, without the count of packets.</param>
/// <param name="Base">The base chain's number; 0 when not known.</param>
/// <param name="Outcome">What it does to a packet.</param>
/// <param name="Rank">How much it explains why a packet passed: see <see cref="VerdictResolver"/>.</param>
/// <param name="Priority">The base chain's priority at its hook; null when not known.</param>
internal sealed record Step(TraceStep View, int Base, StepOutcome Outcome, int Rank, int? Priority);
