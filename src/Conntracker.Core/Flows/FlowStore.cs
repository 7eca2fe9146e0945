using System.Runtime.CompilerServices;

namespace Conntracker.Core.Flows;

/// <summary>
/// The slots that hold flows, and what belongs to a slot: its counters, allocated when the first flow of a block is counted, and its
/// details (<see cref="FlowDetailStore"/>), which few flows have.
/// </summary>
internal sealed class FlowStore : IDisposable
{
    private UnmanagedBlocks<FlowRecord> _records;
    private UnmanagedBlocks<FlowCounters> _counters;
    private int _free;

    /// <summary>Frees the memory of a store that was not disposed.</summary>
    ~FlowStore() => Release();

    /// <summary>The number of slots in use.</summary>
    public int Count { get; private set; }

    /// <summary>One past the highest slot that was ever used.</summary>
    public int HighWater { get; private set; }

    /// <summary>What is known of flows beyond connection tracking.</summary>
    public FlowDetailStore Details { get; } = new();

    /// <summary>The flow in a slot.</summary>
    public ref FlowRecord this[int slot]
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => ref _records[slot];
    }

    /// <summary>Allocates a slot; its content is all zero.</summary>
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

    /// <summary>Frees a slot and its details.</summary>
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

    /// <summary>The counters of a slot; allocated if there are none.</summary>
    public ref FlowCounters Counters(int slot)
    {
        _counters.Ensure(slot);
        return ref _counters[slot];
    }

    /// <summary>Copies every slot, free or not, and the counters and details that exist.</summary>
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
