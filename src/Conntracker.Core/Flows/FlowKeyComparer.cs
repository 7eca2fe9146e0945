namespace Conntracker.Core.Flows;

/// <summary>Compares keys as a <see cref="FlowIndex"/> does, for dictionaries.</summary>
internal sealed class FlowKeyComparer : IEqualityComparer<FlowKey>
{
    public static FlowKeyComparer Instance { get; } = new();

    /// <inheritdoc/>
    public bool Equals(FlowKey x, FlowKey y) => FlowKey.AreEqual(in x, in y);

    /// <inheritdoc/>
    public int GetHashCode(FlowKey obj) => (int)FlowKey.Hash(in obj);
}
