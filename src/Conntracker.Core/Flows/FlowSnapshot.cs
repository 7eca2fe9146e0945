namespace Conntracker.Core.Flows;

/// <summary>The flows of a capture at one moment. Holds unmanaged memory: dispose it.</summary>
internal sealed class FlowSnapshot : IDisposable
{
    private readonly FlowStore _store;

    /// <summary>Takes a copy of the flows into care.</summary>
    public FlowSnapshot(FlowStore store, LocalAddresses addresses)
    {
        _store = store;
        Addresses = addresses;
    }

    /// <summary>How many flows there are.</summary>
    public int Count => _store.Count;

    /// <summary>One past the highest place; places below it may be free (<see cref="FlowRecord.IsUsed"/>).</summary>
    public int PlaceCount => _store.HighWater;

    /// <summary>The host's addresses at that moment.</summary>
    public LocalAddresses Addresses { get; }

    /// <summary>The flow at a place.</summary>
    public ref readonly FlowRecord this[int place] => ref _store[place];

    /// <summary>A place's counters; null when the kernel did not count.</summary>
    public FlowCounters? Counters(int place) =>
        (_store[place].Flags & FlowFlags.Counted) != 0 ? _store.Counters(place) : null;

    /// <inheritdoc/>
    public void Dispose() => _store.Dispose();
}
