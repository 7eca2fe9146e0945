using System.Runtime.InteropServices;

namespace Conntracker.Core.Flows;

/// <summary>What is known of a flow beside what connection tracking tells: the rules that it passed, the processes at its ends.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct FlowEvidence
{
    /// <summary>The first <see cref="StepChunk"/>: its number + 1; 0 for none. Of a free place, the next free one, likewise.</summary>
    public int Steps;

    /// <summary>The step that decided over the first packet: its number + 1; 0 while none has.</summary>
    public int Decider;

    /// <summary>Traced packets of the flow, both directions; stays at its maximum once there.</summary>
    public uint Packets;

    /// <summary>How far its first packet is known.</summary>
    public EvidenceFlags Flags;

    /// <summary>The process of the original direction: its number + 1; 0 for none.</summary>
    public int Process;

    /// <summary>The process of the reply direction: its number + 1; 0 for none.</summary>
    public int ReplyProcess;
}

/// <summary>How far the way of a flow's first traced packet is known.</summary>
[Flags]
internal enum EvidenceFlags
{
    /// <summary>Nothing.</summary>
    None = 0,

    /// <summary>It reached the end of its last hook: no rule can drop it any more.</summary>
    Passed = 1,

    /// <summary>More distinct steps came than a flow keeps.</summary>
    StepsLeftOut = 2,
}
