
using Conntracker.Core.Rulesets;

namespace Conntracker.Core.Tracing;

/// <summary>What the feeds of traces ask of the join. Called on the capture's thread.</summary>
internal interface ITraceJoin
{
    /// <summary>Whether steps wait for a text of the ruleset that is newer than the one that was read last.</summary>
    bool IsStale(RulesetKind kind);

    /// <summary>Completes packets that have waited long enough for further steps: those that were reported before a time, in ticks of UTC.</summary>
    void Flush(long now);
}
