namespace Conntracker.Core.Policies.Trials;

/// <summary>Compares what a ruleset does to a flow with what was done to it before.</summary>
internal static class FlowTestComparison
{
    /// <summary>Whether a flow works where it did not, or the reverse.</summary>
    /// <param name="old">The verdict before.</param>
    /// <param name="verdict">The verdict on its first packet.</param>
    /// <param name="reply">The verdict on the answer; null when none was tested.</param>
    /// <returns>Null when one of them is not known.</returns>
    public static bool? HasChanged(FlowVerdict old, FlowVerdict verdict, FlowVerdict? reply) =>
        old == FlowVerdict.Unknown || verdict == FlowVerdict.Unknown || (verdict == FlowVerdict.Accepted && reply == FlowVerdict.Unknown)
            ? null
            : (verdict == FlowVerdict.Accepted && reply is null or FlowVerdict.Accepted) != (old == FlowVerdict.Accepted);
}
