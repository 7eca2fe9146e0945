namespace Conntracker.Core.Export.Text;

/// <summary>Two traces are equal when their steps print alike, in the same order.</summary>
internal sealed class TraceStepsComparer : IEqualityComparer<IReadOnlyList<TraceStep>>
{
    /// <summary>The one comparer.</summary>
    public static TraceStepsComparer Instance { get; } = new();

    /// <inheritdoc/>
    public bool Equals(IReadOnlyList<TraceStep>? x, IReadOnlyList<TraceStep>? y)
    {
        if (ReferenceEquals(x, y) || x is null || y is null || x.Count != y.Count)
        {
            return ReferenceEquals(x, y);
        }

        for (int i = 0; i < x.Count; i++)
        {
            TraceStep a = x[i];
            TraceStep b = y[i];
            if (!ReferenceEquals(a, b)
                && (a.Type != b.Type || a.Position != b.Position || a.Chain != b.Chain || a.Table != b.Table || a.Family != b.Family))
            {
                return false;
            }
        }

        return true;
    }

    /// <inheritdoc/>
    public int GetHashCode(IReadOnlyList<TraceStep> obj)
    {
        HashCode hash = default;
        for (int i = 0; i < obj.Count; i++)
        {
            hash.Add(obj[i].Table);
            hash.Add(obj[i].Chain);
            hash.Add(obj[i].Type);
            hash.Add(obj[i].Position);
        }

        return hash.ToHashCode();
    }
}
