namespace Conntracker.Core.Flows;

/// <summary>What a message did to the table.</summary>
internal enum ApplyOutcome
{
    /// <summary>It said nothing that was not known.</summary>
    Known,

    /// <summary>Only packets and bytes of a known flow went on.</summary>
    Counted,

    /// <summary>It changed a known flow.</summary>
    Changed,

    /// <summary>A known flow has a new connection.</summary>
    Reopened,

    /// <summary>A flow that was not known.</summary>
    Added,
}
