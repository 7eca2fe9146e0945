namespace Conntracker.Core.Policies.Suggestions;

/// <summary>The kernel as a tester, in a trial.</summary>
internal sealed class TrialFlowTester(FirewallTrial trial) : IFlowTester
{
    /// <inheritdoc/>
    public IEnumerable<FlowTest> Test(IEnumerable<Flow> flows, CancellationToken cancellation) => trial.Test(flows, cancellation);
}
