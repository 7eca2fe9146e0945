using System.Numerics;
using System.Runtime.InteropServices;

namespace Conntracker.Core.Flows;

/// <summary>
/// Finds a flow's place by its key: chained buckets of four bytes each. Sized once, for the flow limit, so that it never has to be
/// rebuilt while events arrive; the kernel gives its pages as they are touched.
/// </summary>
internal sealed unsafe class FlowIndex : IDisposable
{
    private readonly FlowStore _store;
    private readonly uint _mask;
    private int* _buckets;

    /// <summary>Makes an index.</summary>
    /// <param name="store">Where the flows are.</param>
    /// <param name="capacity">How many flows it is to hold.</param>
    public FlowIndex(FlowStore store, int capacity)
    {
        _store = store;
        uint buckets = BitOperations.RoundUpToPowerOf2((uint)capacity);
        _mask = buckets - 1;
        _buckets = (int*)NativeMemory.AllocZeroed(buckets, sizeof(int));
    }

    /// <summary>Frees what an index that was not disposed holds.</summary>
    ~FlowIndex() => Release();

    /// <summary>The place of the flow with this key; -1 when there is none.</summary>
    public int Find(ref readonly FlowKey key, uint hash)
    {
        for (int link = _buckets[hash & _mask]; link != 0;)
        {
            ref FlowRecord record = ref _store[link - 1];
            if (FlowKey.AreEqual(in record.Key, in key))
            {
                return link - 1;
            }

            link = record.Next;
        }

        return -1;
    }

    /// <summary>Adds the flow at a place; the caller knows that its key is not there yet.</summary>
    public void Add(int slot, uint hash)
    {
        ref int bucket = ref _buckets[hash & _mask];
        _store[slot].Next = bucket;
        bucket = slot + 1;
    }

    /// <summary>Takes the flow at a place out; the caller frees the place.</summary>
    public void Remove(int slot)
    {
        ref FlowRecord removed = ref _store[slot];
        ref int link = ref _buckets[FlowKey.Hash(in removed.Key) & _mask];
        while (link != slot + 1)
        {
            link = ref _store[link - 1].Next;
        }

        link = removed.Next;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Release();
        GC.SuppressFinalize(this);
    }

    private void Release()
    {
        NativeMemory.Free(_buckets);
        _buckets = null;
    }
}
