namespace Conntracker.Core.Policies.Suggestions;

/// <summary>Says what a policy's ruleset does to flows: the kernel, or a model of it in tests.</summary>
internal interface IFlowTester
{
    /// <summary>Tests flows, in their order.</summary>
    IEnumerable<FlowTest> Test(IEnumerable<Flow> flows, CancellationToken cancellation);
}
