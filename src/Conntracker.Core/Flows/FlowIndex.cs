using System.Numerics;
using System.Runtime.InteropServices;

namespace Conntracker.Core.Flows;

/// <summary>
/// Finds a flow's slot by its key: chained buckets of four bytes each. The index is sized once, for the flow limit, so that it is never
/// rebuilt while events arrive. The kernel allocates its pages when they are first touched.
/// </summary>
internal sealed unsafe class FlowIndex : IDisposable
{
    private readonly FlowStore _store;
    private readonly uint _mask;
    private int* _buckets;

    /// <summary>Allocates the buckets.</summary>
    /// <param name="store">The flows.</param>
    /// <param name="capacity">The number of flows that the index is sized for.</param>
    public FlowIndex(FlowStore store, int capacity)
    {
        _store = store;
        uint buckets = BitOperations.RoundUpToPowerOf2((uint)capacity);
        _mask = buckets - 1;
        _buckets = (int*)NativeMemory.AllocZeroed(buckets, sizeof(int));
    }

    /// <summary>Frees the memory of an index that was not disposed.</summary>
    ~FlowIndex() => Release();

    /// <summary>The slot of the flow with this key; -1 if there is none.</summary>
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

    /// <summary>Adds the flow in a slot. The caller knows that the key is not in the index.</summary>
    public void Add(int slot, uint hash)
    {
        ref int bucket = ref _buckets[hash & _mask];
        _store[slot].Next = bucket;
        bucket = slot + 1;
    }

    /// <summary>Removes the flow in a slot. The caller frees the slot.</summary>
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
