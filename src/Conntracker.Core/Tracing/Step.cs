namespace Conntracker.Core.Tracing;

/// <summary>A step as the trace knows it: what users see of it, and what it means for the verdict.</summary>
/// <param name="View">What users see, without the count of packets.</param>
/// <param name="Base">The base chain's number; 0 when not known.</param>
/// <param name="Outcome">What it does to a packet.</param>
/// <param name="Rank">How much it tells about why a packet passed: see <see cref="VerdictResolver"/>.</param>
/// <param name="Priority">Where at its hook the base chain stands; null when not known.</param>
internal sealed record Step(TraceStep View, int Base, StepOutcome Outcome, int Rank, int? Priority);
