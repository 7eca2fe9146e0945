namespace Conntracker.Core.Export.Text;

/// <summary>Sorts large arrays on two threads: each sorts a half, then the halves are merged.</summary>
internal static class ParallelSort
{
    // Below this number of elements a second thread costs more than it saves.
    private const int WorthTwoThreads = 1 << 16;

    /// <summary>Sorts the first elements of an array.</summary>
    /// <param name="items">The array; its content is undefined afterwards.</param>
    /// <param name="count">How many elements to sort.</param>
    /// <returns>The array that holds them in order: the given one, or a new one.</returns>
    public static T[] Sort<T>(T[] items, int count)
        where T : IComparable<T>
    {
        if (count < WorthTwoThreads || Environment.ProcessorCount < 2)
        {
            items.AsSpan(0, count).Sort();
            return items;
        }

        int half = count / 2;
        Parallel.Invoke(() => items.AsSpan(0, half).Sort(), () => items.AsSpan(half, count - half).Sort());
        return Merge(items.AsSpan(0, half), items.AsSpan(half, count - half));
    }

    private static T[] Merge<T>(ReadOnlySpan<T> left, ReadOnlySpan<T> right)
        where T : IComparable<T>
    {
        T[] merged = GC.AllocateUninitializedArray<T>(left.Length + right.Length);
        int l = 0;
        int r = 0;
        int m = 0;
        while (l < left.Length && r < right.Length)
        {
            merged[m++] = right[r].CompareTo(left[l]) < 0 ? right[r++] : left[l++];
        }

        left[l..].CopyTo(merged.AsSpan(m));
        right[r..].CopyTo(merged.AsSpan(m + left.Length - l));
        return merged;
    }
}
