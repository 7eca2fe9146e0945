using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Conntracker.Core.Flows;

/// <summary>
/// The places that hold flows: unmanaged blocks that never move, so that the collector never walks a million flows. A block's
/// counters are made when the first of its flows is counted.
/// </summary>
internal sealed unsafe class FlowStore : IDisposable
{
    private const int BlockShift = 14;
    private const int BlockSize = 1 << BlockShift;
    private const int BlockMask = BlockSize - 1;

    private FlowRecord*[] _records = [];
    private FlowCounters*[] _counters = [];
    private int _blocks;
    private int _free;

    /// <summary>Frees what a store that was not disposed holds.</summary>
    ~FlowStore() => Release();

    /// <summary>How many places are taken.</summary>
    public int Count { get; private set; }

    /// <summary>One past the highest place that was ever taken.</summary>
    public int HighWater { get; private set; }

    /// <summary>The flow at a place.</summary>
    public ref FlowRecord this[int place]
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => ref _records[place >> BlockShift][place & BlockMask];
    }

    /// <summary>Takes a place; its content is all zero.</summary>
    public int Take()
    {
        int place;
        if (_free != 0)
        {
            place = _free - 1;
            ref FlowRecord record = ref this[place];
            _free = record.Next;
            record = default;
        }
        else
        {
            place = HighWater++;
            EnsureBlock(place >> BlockShift);
        }

        Count++;
        return place;
    }

    /// <summary>Gives a place back.</summary>
    public void Free(int place)
    {
        ref FlowRecord record = ref this[place];
        if ((record.Flags & FlowFlags.Counted) != 0)
        {
            Counters(place) = default;
        }

        record = default;
        record.Next = _free;
        _free = place + 1;
        Count--;
    }

    /// <summary>The counters of a place; makes them when there are none.</summary>
    public ref FlowCounters Counters(int place)
    {
        ref FlowCounters* block = ref _counters[place >> BlockShift];
        if (block == null)
        {
            block = (FlowCounters*)NativeMemory.AllocZeroed(BlockSize, (nuint)sizeof(FlowCounters));
        }

        return ref block[place & BlockMask];
    }

    /// <summary>Copies every place, taken or not, and the counters that there are.</summary>
    public void CopyTo(FlowStore target)
    {
        int blocks = (HighWater + BlockMask) >> BlockShift;
        for (int block = 0; block < blocks; block++)
        {
            target.EnsureBlock(block);
            long used = Math.Min(BlockSize, HighWater - (block << BlockShift));
            Buffer.MemoryCopy(_records[block], target._records[block], BlockSize * (long)sizeof(FlowRecord), used * sizeof(FlowRecord));
            if (_counters[block] != null)
            {
                long length = used * sizeof(FlowCounters);
                Buffer.MemoryCopy(_counters[block], Unsafe.AsPointer(ref target.Counters(block << BlockShift)), length, length);
            }
        }

        target.HighWater = HighWater;
        target.Count = Count;
        target._free = _free;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Release();
        GC.SuppressFinalize(this);
    }

    private void EnsureBlock(int block)
    {
        if (block < _blocks)
        {
            return;
        }

        if (block == _records.Length)
        {
            int length = Math.Max(16, _records.Length * 2);
            FlowRecord*[] records = new FlowRecord*[length];
            FlowCounters*[] counters = new FlowCounters*[length];
            Array.Copy(_records, records, _blocks);
            Array.Copy(_counters, counters, _blocks);
            _records = records;
            _counters = counters;
        }

        // A block is far above malloc's threshold for mmap: pages become resident when they are written to, not before.
        _records[block] = (FlowRecord*)NativeMemory.AllocZeroed(BlockSize, (nuint)sizeof(FlowRecord));
        _blocks = block + 1;
    }

    private void Release()
    {
        for (int block = 0; block < _blocks; block++)
        {
            NativeMemory.Free(_records[block]);
            NativeMemory.Free(_counters[block]);
        }

        _blocks = 0;
        _records = [];
        _counters = [];
        HighWater = 0;
        Count = 0;
        _free = 0;
    }
}
