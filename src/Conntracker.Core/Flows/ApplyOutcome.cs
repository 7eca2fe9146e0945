namespace Conntracker.Core.Flows;

/// <summary>What a message changed in the table.</summary>
internal enum ApplyOutcome
{
    /// <summary>The message contained nothing new.</summary>
    Known,

    /// <summary>Only the counters of a known flow increased.</summary>
    Counted,

    /// <summary>A known flow changed.</summary>
    Changed,

    /// <summary>A new connection of a known flow began.</summary>
    Reopened,

    /// <summary>A new flow was added.</summary>
    Added,
}
