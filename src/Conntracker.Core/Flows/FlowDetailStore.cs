namespace Conntracker.Core.Flows;

/// <summary>
/// The details of the flows that have any, in unmanaged blocks: a capture that traces nothing allocates none. A flow keeps each step once, with a
/// count of packets, and at most <see cref="MaximumSteps"/> of them.
/// </summary>
internal sealed class FlowDetailStore : IDisposable
{
    /// <summary>Distinct steps that a flow keeps. More are left out, and the flow is marked with <see cref="FlowDetailFlags.StepsLeftOut"/>.</summary>
    public const int MaximumSteps = 32 * StepChunk.Capacity;

    private UnmanagedBlocks<FlowDetails> _details;
    private UnmanagedBlocks<StepChunk> _chunks;
    private int _detailCount;
    private int _chunkCount;
    private int _freeDetails;
    private int _freeChunk;

    /// <summary>Frees the memory of a store that was not disposed.</summary>
    ~FlowDetailStore() => Release();

    /// <summary>The details with the number in <see cref="FlowRecord.Details"/>; not for 0.</summary>
    public ref FlowDetails this[int number] => ref _details[number - 1];

    /// <summary>The details of a record; created if it has none.</summary>
    public ref FlowDetails Of(ref FlowRecord record)
    {
        if (record.Details == 0)
        {
            if (_freeDetails != 0)
            {
                record.Details = _freeDetails;
                _freeDetails = this[record.Details].Steps;
            }
            else
            {
                _details.Ensure(_detailCount);
                record.Details = ++_detailCount;
            }

            this[record.Details] = default;
        }

        return ref this[record.Details];
    }

    /// <summary>Counts packets of a step.</summary>
    /// <param name="details">The flow's details.</param>
    /// <param name="step">The step's number.</param>
    /// <param name="packets">The number of packets.</param>
    /// <param name="ofOriginator">Whether one of them was sent by the originator.</param>
    public unsafe void AddStep(ref FlowDetails details, int step, uint packets, bool ofOriginator)
    {
        int link = step + 1;
        int origin = ofOriginator ? StepChunk.OfOriginator : 0;
        ref int next = ref details.Steps;
        for (int seen = 0; seen < MaximumSteps; seen += StepChunk.Capacity)
        {
            if (next == 0)
            {
                next = AllocateChunk();
            }

            ref StepChunk chunk = ref _chunks[next - 1];
            for (int i = 0; i < StepChunk.Capacity; i++)
            {
                if ((chunk.Steps[i] & ~StepChunk.OfOriginator) == link || chunk.Steps[i] == 0)
                {
                    chunk.Steps[i] |= link | origin;
                    chunk.Packets[i] = Sum(chunk.Packets[i], packets);
                    return;
                }
            }

            next = ref chunk.Next;
        }

        details.Flags |= FlowDetailFlags.StepsLeftOut;
    }

    /// <summary>The steps of a flow in the order in which they were first seen; see <see cref="StepEnumerator"/>.</summary>
    public StepEnumerator Steps(ref readonly FlowDetails details) => new(this, details.Steps);

    /// <summary>Adds the details of one flow to those of another into which it is folded, or which turned out to be the same flow.</summary>
    /// <param name="target">The flow that stays.</param>
    /// <param name="details">The details of the flow that is removed; the caller frees them.</param>
    public void Merge(ref FlowRecord target, int details)
    {
        if (details == 0)
        {
            return;
        }

        FlowDetails source = this[details];
        ref FlowDetails sum = ref Of(ref target);
        foreach ((int step, uint packets, bool ofOriginator) in Steps(in source))
        {
            AddStep(ref sum, step, packets, ofOriginator);
        }

        sum.DecidingStep = sum.DecidingStep == 0 ? source.DecidingStep : sum.DecidingStep;
        sum.Packets = Sum(sum.Packets, source.Packets);
        sum.Flags |= source.Flags;
        sum.Process = sum.Process == 0 ? source.Process : sum.Process;
        sum.ReplyProcess = sum.ReplyProcess == 0 ? source.ReplyProcess : sum.ReplyProcess;
    }

    /// <summary>Adds the details of packets that answer a flow to that flow: their steps, but not the verdict on them.</summary>
    /// <param name="target">The flow.</param>
    /// <param name="details">The details of the packets; the caller frees them.</param>
    public void MergeAnswers(ref FlowRecord target, int details)
    {
        if (details == 0)
        {
            return;
        }

        FlowDetails source = this[details];
        ref FlowDetails sum = ref Of(ref target);
        foreach ((int step, uint packets, _) in Steps(in source))
        {
            AddStep(ref sum, step, packets, ofOriginator: false);
        }

        sum.Packets = Sum(sum.Packets, source.Packets);
        sum.Flags |= source.Flags & FlowDetailFlags.StepsLeftOut;
        sum.ReplyProcess = sum.ReplyProcess == 0 ? source.Process : sum.ReplyProcess;
        sum.Process = sum.Process == 0 ? source.ReplyProcess : sum.Process;
    }

    /// <summary>Replaces the numbers of a flow's steps. Steps that become one are counted together.</summary>
    /// <param name="details">The flow's details.</param>
    /// <param name="numbers">The new number of each step, by its old one.</param>
    public void Renumber(ref FlowDetails details, ReadOnlySpan<int> numbers)
    {
        int link = details.Steps;
        details.Steps = 0;
        details.DecidingStep = details.DecidingStep == 0 ? 0 : numbers[details.DecidingStep - 1] + 1;
        foreach ((int step, uint packets, bool ofOriginator) in new StepEnumerator(this, link))
        {
            AddStep(ref details, numbers[step], packets, ofOriginator);
        }

        FreeChunks(link);
    }

    /// <summary>Frees details. The number 0 means none.</summary>
    public void Free(int number)
    {
        if (number == 0)
        {
            return;
        }

        FreeChunks(this[number].Steps);
        this[number].Steps = _freeDetails;
        _freeDetails = number;
    }

    /// <summary>Copies everything.</summary>
    public void CopyTo(FlowDetailStore target)
    {
        _details.CopyTo(ref target._details, _detailCount);
        _chunks.CopyTo(ref target._chunks, _chunkCount);
        target._detailCount = _detailCount;
        target._chunkCount = _chunkCount;
        target._freeDetails = _freeDetails;
        target._freeChunk = _freeChunk;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Release();
        GC.SuppressFinalize(this);
    }

    /// <summary>The chunk of a link.</summary>
    internal ref StepChunk Chunk(int link) => ref _chunks[link - 1];

    private static uint Sum(uint a, uint b) => uint.MaxValue - a < b ? uint.MaxValue : a + b;

    private void FreeChunks(int link)
    {
        while (link != 0)
        {
            ref StepChunk chunk = ref _chunks[link - 1];
            int next = chunk.Next;
            chunk.Next = _freeChunk;
            _freeChunk = link;
            link = next;
        }
    }

    private int AllocateChunk()
    {
        int link = _freeChunk;
        if (link != 0)
        {
            _freeChunk = _chunks[link - 1].Next;
        }
        else
        {
            _chunks.Ensure(_chunkCount);
            link = ++_chunkCount;
        }

        _chunks[link - 1] = default;
        return link;
    }

    private void Release()
    {
        _details.Release();
        _chunks.Release();
        _detailCount = 0;
        _chunkCount = 0;
        _freeDetails = 0;
        _freeChunk = 0;
    }
}
