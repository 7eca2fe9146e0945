using Conntracker.Core.Rulesets;

namespace Conntracker.Core.Tracing;

/// <summary>What trace feeds call on the join. Called on the capture's thread.</summary>
internal interface ITraceJoin
{
    /// <summary>Whether steps wait for a newer text of the ruleset than the one read last.</summary>
    bool IsStale(RulesetKind kind);

    /// <summary>Completes packets that have waited long enough for further steps: those reported before a time, in ticks of UTC.</summary>
    void Flush(long now);
}
