namespace Conntracker.Core.Flows;

/// <summary>
/// The evidence of the flows that have some, in unmanaged blocks: a capture that traces nothing pays nothing for it. A step is kept
/// once a flow, with a count of packets; a flow keeps <see cref="MaximumSteps"/> of them.
/// </summary>
internal sealed class EvidenceStore : IDisposable
{
    /// <summary>Distinct steps that a flow keeps; more are left out, and the flow says so (<see cref="EvidenceFlags.StepsLeftOut"/>).</summary>
    public const int MaximumSteps = 32 * StepChunk.Capacity;

    private UnmanagedBlocks<FlowEvidence> _evidence;
    private UnmanagedBlocks<StepChunk> _chunks;
    private int _evidenceCount;
    private int _chunkCount;
    private int _freeEvidence;
    private int _freeChunk;

    /// <summary>Frees what a store that was not disposed holds.</summary>
    ~EvidenceStore() => Release();

    /// <summary>The evidence that a flow's <see cref="FlowRecord.Evidence"/> names; not for 0.</summary>
    public ref FlowEvidence this[int number] => ref _evidence[number - 1];

    /// <summary>The evidence that a record names, made when it has none.</summary>
    public ref FlowEvidence Of(ref FlowRecord record)
    {
        if (record.Evidence == 0)
        {
            if (_freeEvidence != 0)
            {
                record.Evidence = _freeEvidence;
                _freeEvidence = this[record.Evidence].Steps;
            }
            else
            {
                _evidence.Ensure(_evidenceCount);
                record.Evidence = ++_evidenceCount;
            }

            this[record.Evidence] = default;
        }

        return ref this[record.Evidence];
    }

    /// <summary>Counts packets of a step.</summary>
    /// <param name="evidence">The flow's evidence.</param>
    /// <param name="step">The step's number.</param>
    /// <param name="packets">How many.</param>
    /// <param name="ofOriginator">Whether one of them is the originator's.</param>
    public unsafe void AddStep(ref FlowEvidence evidence, int step, uint packets, bool ofOriginator)
    {
        int link = step + 1;
        int origin = ofOriginator ? StepChunk.OfOriginator : 0;
        ref int next = ref evidence.Steps;
        for (int seen = 0; seen < MaximumSteps; seen += StepChunk.Capacity)
        {
            if (next == 0)
            {
                next = TakeChunk();
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

        evidence.Flags |= EvidenceFlags.StepsLeftOut;
    }

    /// <summary>The steps of a flow in the order in which they were first seen; see <see cref="StepEnumerator"/>.</summary>
    public StepEnumerator Steps(ref readonly FlowEvidence evidence) => new(this, evidence.Steps);

    /// <summary>Adds what is known of one flow to that of another into which it is folded, or with which it turned out to be the same.</summary>
    /// <param name="target">The flow that stays.</param>
    /// <param name="evidence">The evidence of the one that goes; still to be freed.</param>
    public void Merge(ref FlowRecord target, int evidence)
    {
        if (evidence == 0)
        {
            return;
        }

        FlowEvidence source = this[evidence];
        ref FlowEvidence sum = ref Of(ref target);
        foreach ((int step, uint packets, bool ofOriginator) in Steps(in source))
        {
            AddStep(ref sum, step, packets, ofOriginator);
        }

        sum.Decider = sum.Decider == 0 ? source.Decider : sum.Decider;
        sum.Packets = Sum(sum.Packets, source.Packets);
        sum.Flags |= source.Flags;
        sum.Process = sum.Process == 0 ? source.Process : sum.Process;
        sum.ReplyProcess = sum.ReplyProcess == 0 ? source.ReplyProcess : sum.ReplyProcess;
    }

    /// <summary>Adds what is known of packets that answer a flow to that flow: their steps, but nothing of what was decided over them.</summary>
    /// <param name="target">The flow.</param>
    /// <param name="evidence">The evidence of the packets; still to be freed.</param>
    public void MergeAnswers(ref FlowRecord target, int evidence)
    {
        if (evidence == 0)
        {
            return;
        }

        FlowEvidence source = this[evidence];
        ref FlowEvidence sum = ref Of(ref target);
        foreach ((int step, uint packets, _) in Steps(in source))
        {
            AddStep(ref sum, step, packets, ofOriginator: false);
        }

        sum.Packets = Sum(sum.Packets, source.Packets);
        sum.Flags |= source.Flags & EvidenceFlags.StepsLeftOut;
        sum.ReplyProcess = sum.ReplyProcess == 0 ? source.Process : sum.ReplyProcess;
        sum.Process = sum.Process == 0 ? source.ReplyProcess : sum.Process;
    }

    /// <summary>Replaces the numbers of a flow's steps; steps that become one are counted together.</summary>
    /// <param name="evidence">The flow's evidence.</param>
    /// <param name="numbers">For each number the one that takes its place.</param>
    public void Renumber(ref FlowEvidence evidence, ReadOnlySpan<int> numbers)
    {
        int link = evidence.Steps;
        evidence.Steps = 0;
        evidence.Decider = evidence.Decider == 0 ? 0 : numbers[evidence.Decider - 1] + 1;
        foreach ((int step, uint packets, bool ofOriginator) in new StepEnumerator(this, link))
        {
            AddStep(ref evidence, numbers[step], packets, ofOriginator);
        }

        FreeChunks(link);
    }

    /// <summary>Gives evidence back; 0 is none.</summary>
    public void Free(int number)
    {
        if (number == 0)
        {
            return;
        }

        FreeChunks(this[number].Steps);
        this[number].Steps = _freeEvidence;
        _freeEvidence = number;
    }

    /// <summary>Copies everything.</summary>
    public void CopyTo(EvidenceStore target)
    {
        _evidence.CopyTo(ref target._evidence, _evidenceCount);
        _chunks.CopyTo(ref target._chunks, _chunkCount);
        target._evidenceCount = _evidenceCount;
        target._chunkCount = _chunkCount;
        target._freeEvidence = _freeEvidence;
        target._freeChunk = _freeChunk;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Release();
        GC.SuppressFinalize(this);
    }

    /// <summary>The chunk that a link names.</summary>
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

    private int TakeChunk()
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
        _evidence.Release();
        _chunks.Release();
        _evidenceCount = 0;
        _chunkCount = 0;
        _freeEvidence = 0;
        _freeChunk = 0;
    }
}
