using Conntracker.Core.Flows;

namespace Conntracker.Core.Processes;

/// <summary>Compares keys for dictionaries, as the flow table does.</summary>
internal sealed class FlowKeyComparer : IEqualityComparer<FlowKey>
{
    /// <summary>The one that there is.</summary>
    public static FlowKeyComparer Instance { get; } = new();

    /// <inheritdoc/>
    public bool Equals(FlowKey x, FlowKey y) => FlowKey.AreEqual(in x, in y);

    /// <inheritdoc/>
    public int GetHashCode(FlowKey obj) => (int)FlowKey.Hash(in obj);
}
