namespace Conntracker.Core.Policies.Suggestions;

/// <summary>The kernel as a judge, in a trial.</summary>
internal sealed class TrialJudge(FirewallTrial trial) : IPolicyJudge
{
    /// <inheritdoc/>
    public IEnumerable<FlowTest> Test(IEnumerable<Flow> flows, CancellationToken cancellation) => trial.Test(flows, cancellation);
}
