namespace Conntracker.Core.Flows;

/// <summary>The flows of a capture at one moment. Holds unmanaged memory: dispose it.</summary>
internal sealed class FlowSnapshot : IDisposable
{
    private readonly FlowStore _store;
    private readonly FlowProcess?[] _processes;

    /// <summary>Takes a copy of the flows into care.</summary>
    /// <param name="store">The copy.</param>
    /// <param name="addresses">The host's addresses at that moment.</param>
    /// <param name="processes">The processes that the flows name, by number.</param>
    public FlowSnapshot(FlowStore store, LocalAddresses addresses, FlowProcess?[] processes)
    {
        _store = store;
        _processes = processes;
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

    /// <summary>The processes at a flow's ends, as far as they are known.</summary>
    public FlowEnds Ends(int place)
    {
        int number = _store[place].Evidence;
        if (number == 0)
        {
            return default;
        }

        ref FlowEvidence evidence = ref _store.Evidence[number];
        return new FlowEnds(ProcessOf(evidence.Process), ProcessOf(evidence.ReplyProcess));
    }

    /// <inheritdoc/>
    public void Dispose() => _store.Dispose();

    private FlowProcess? ProcessOf(int link) => link == 0 ? null : _processes[link - 1];
}
