namespace Conntracker.Core.Tracing;

/// <summary>The steps of a packet whose flow is not known yet: numbers of <see cref="StepTable"/>; -1 for a step that could not be kept.</summary>
internal sealed class PacketSteps
{
    /// <summary>Steps that are kept until the flow is known; further ones are dropped, and the flow shows it.</summary>
    public const int Maximum = 64;

    private readonly int[] _numbers = new int[Maximum];

    /// <summary>How many there are.</summary>
    public int Count { get; private set; }

    /// <summary>The steps in the order in which they were reported.</summary>
    public Span<int> Numbers => _numbers.AsSpan(0, Count);

    /// <summary>Adds a step; false when there are too many.</summary>
    public bool TryAdd(int step)
    {
        if (Count == Maximum)
        {
            return false;
        }

        _numbers[Count++] = step;
        return true;
    }

    /// <summary>Removes all steps.</summary>
    public void Clear() => Count = 0;
}
