namespace Conntracker.Core.Policies.Suggestions;

/// <summary>A flow that stands for all flows that no rule distinguishes from it.</summary>
internal sealed class PolicySample
{
    /// <summary>What distinguishes it for rules.</summary>
    public required PolicyAccess Access { get; init; }

    /// <summary>The flow, answered where one of them was.</summary>
    public required Flow Flow { get; set; }
}
