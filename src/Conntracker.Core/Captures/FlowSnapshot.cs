using Conntracker.Core.Captures;
using Conntracker.Core.Flows;
using Conntracker.Core.HostAddresses;
using Conntracker.Core.Processes;
using Conntracker.Core.Tracing;

namespace Conntracker;

/// <summary>The flows of a capture at one moment, with everything known about them. Holds unmanaged memory: dispose it.</summary>
public sealed class FlowSnapshot : IDisposable
{
    private readonly FlowStore _store;
    private readonly LocalAddresses _addresses;
    private readonly TraceSnapshot _trace;
    private readonly ProcessSnapshot _processes;

    /// <summary>Takes ownership of a copy of the flows.</summary>
    /// <param name="store">The copy.</param>
    /// <param name="addresses">The host's addresses at that moment.</param>
    /// <param name="trace">The steps at that moment.</param>
    /// <param name="processes">The processes at that moment.</param>
    internal FlowSnapshot(FlowStore store, LocalAddresses addresses, TraceSnapshot trace, ProcessSnapshot processes)
    {
        _store = store;
        _addresses = addresses;
        _trace = trace;
        _processes = processes;
    }

    /// <summary>The number of flows.</summary>
    public int Count => _store.Count;

    /// <summary>One past the highest slot; slots below it may be free.</summary>
    public int SlotCount => _store.HighWater;

    /// <summary>The flow in a slot.</summary>
    internal ref readonly FlowRecord this[int slot] => ref _store[slot];

    /// <summary>The direction of the flow in a slot.</summary>
    internal FlowDirection Direction(int slot) => _addresses.DirectionOf(in _store[slot]);

    /// <summary>The steps of the flow in a slot.</summary>
    internal IReadOnlyList<TraceStep> Trace(int slot) => _trace.Trace(_store.Details, in _store[slot]);

    /// <summary>The process that the flow in a slot shows as its own; null if none is known.</summary>
    internal FlowProcess? Originator(int slot) => _processes.Shown(_store.Details, in _store[slot], Direction(slot));

    /// <summary>The process that answers the flow in a slot; null if it is not known, or not on this host.</summary>
    internal FlowProcess? Responder(int slot) => _processes.Responder(_store.Details, in _store[slot]);

    /// <summary>The flow in a slot as an object; null if the slot is free or the flow does not match the query.</summary>
    public Flow? ToFlow(int slot, FlowQuery query)
    {
        ArgumentNullException.ThrowIfNull(query);
        ref readonly FlowRecord record = ref _store[slot];
        return record.IsUsed && query.Matches(in record, _trace.Verdict(_store.Details, in record)) && query.MatchesProcess(Originator(slot), Responder(slot))
            ? FlowProjection.ToFlow(in record, Counters(slot), _addresses, _store.Details, _trace, _processes)
            : null;
    }

    /// <inheritdoc/>
    public void Dispose() => _store.Dispose();

    private FlowCounters? Counters(int slot) =>
        (_store[slot].Flags & FlowFlags.Counted) != 0 ? _store.Counters(slot) : null;
}
