namespace Conntracker.Core.Flows;

/// <summary>Enumerates the steps of a flow: the number of each, its count of packets, and whether the originator sent one of them.</summary>
internal struct StepEnumerator
{
    private readonly FlowDetailStore _store;
    private int _link;
    private int _index = -1;

    /// <summary>Begins at a chunk; 0 for none.</summary>
    public StepEnumerator(FlowDetailStore store, int link)
    {
        _store = store;
        _link = link;
    }

    /// <summary>The current step.</summary>
    public (int Step, uint Packets, bool OfOriginator) Current { get; private set; }

    /// <summary>Moves to the next step.</summary>
    public unsafe bool MoveNext()
    {
        while (_link != 0)
        {
            ref StepChunk chunk = ref _store.Chunk(_link);
            if (++_index < StepChunk.Capacity && chunk.Steps[_index] != 0)
            {
                Current = ((chunk.Steps[_index] & ~StepChunk.OfOriginator) - 1, chunk.Packets[_index], (chunk.Steps[_index] & StepChunk.OfOriginator) != 0);
                return true;
            }

            _index = -1;
            _link = chunk.Next;
        }

        return false;
    }

    /// <summary>For foreach.</summary>
    public readonly StepEnumerator GetEnumerator() => this;
}
