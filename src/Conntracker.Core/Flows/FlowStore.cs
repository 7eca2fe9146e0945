using System.Runtime.CompilerServices;

namespace Conntracker.Core.Flows;

/// <summary>
/// The places that hold flows, and what belongs to a place: its counters, made when the first flow of a block is counted, and its
/// details (<see cref="FlowDetailStore"/>), which few flows have.
/// </summary>
internal sealed class FlowStore : IDisposable
{
    private UnmanagedBlocks<FlowRecord> _records;
    private UnmanagedBlocks<FlowCounters> _counters;
    private int _free;

    /// <summary>Frees what a store that was not disposed holds.</summary>
    ~FlowStore() => Release();

    /// <summary>How many places are taken.</summary>
    public int Count { get; private set; }

    /// <summary>One past the highest place that was ever taken.</summary>
    public int HighWater { get; private set; }

    /// <summary>What is known of flows beside what connection tracking tells.</summary>
    public FlowDetailStore Details { get; } = new();

    /// <summary>The flow at a place.</summary>
    public ref FlowRecord this[int slot]
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => ref _records[slot];
    }

    /// <summary>Takes a place; its content is all zero.</summary>
    public int Take()
    {
        int slot;
        if (_free != 0)
        {
            slot = _free - 1;
            ref FlowRecord record = ref this[slot];
            _free = record.Next;
            record = default;
        }
        else
        {
            slot = HighWater++;
            _records.Ensure(slot);
        }

        Count++;
        return slot;
    }

    /// <summary>Gives a place back, with its details.</summary>
    public void Free(int slot)
    {
        ref FlowRecord record = ref this[slot];
        if ((record.Flags & FlowFlags.Counted) != 0)
        {
            Counters(slot) = default;
        }

        Details.Free(record.Details);
        record = default;
        record.Next = _free;
        _free = slot + 1;
        Count--;
    }

    /// <summary>The counters of a place; makes them when there are none.</summary>
    public ref FlowCounters Counters(int slot)
    {
        _counters.Ensure(slot);
        return ref _counters[slot];
    }

    /// <summary>Copies every place, taken or not, and the counters and the details that there are.</summary>
    public void CopyTo(FlowStore target)
    {
        _records.CopyTo(ref target._records, HighWater);
        _counters.CopyTo(ref target._counters, HighWater);
        Details.CopyTo(target.Details);
        target.HighWater = HighWater;
        target.Count = Count;
        target._free = _free;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Release();
        Details.Dispose();
        GC.SuppressFinalize(this);
    }

    private void Release()
    {
        _records.Release();
        _counters.Release();
        HighWater = 0;
        Count = 0;
        _free = 0;
    }
}
