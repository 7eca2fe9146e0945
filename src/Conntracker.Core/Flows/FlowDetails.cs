using System.Runtime.InteropServices;

namespace Conntracker.Core.Flows;

/// <summary>What is known of a flow beside what connection tracking tells: the rules that it passed, the processes at its ends.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct FlowDetails
{
    /// <summary>In the place of a process: two network namespaces claim this end of the flow.</summary>
    public const int Ambiguous = -1;

    /// <summary>The first <see cref="StepChunk"/>: its number + 1; 0 for none. Of a free place, the next free one, likewise.</summary>
    public int Steps;

    /// <summary>The step that decided over the first packet: its number + 1; 0 while none has.</summary>
    public int DecidingStep;

    /// <summary>Traced packets of the flow, both directions; stays at its maximum once there.</summary>
    public uint Packets;

    /// <summary>How far its first packet is known.</summary>
    public FlowDetailFlags Flags;

    /// <summary>The process of the original direction: its number + 1; 0 for none; <see cref="Ambiguous"/>.</summary>
    public int Process;

    /// <summary>The process of the reply direction: its number + 1; 0 for none; <see cref="Ambiguous"/>.</summary>
    public int ReplyProcess;
}

/// <summary>How far the way of a flow's first traced packet is known.</summary>
[Flags]
internal enum FlowDetailFlags
{
    /// <summary>Nothing.</summary>
    None = 0,

    /// <summary>It reached the end of its last hook: no rule can drop it any more.</summary>
    Passed = 1,

    /// <summary>Steps of its packets are missing: more came than a flow or a packet keeps, or a packet was given up on its way.</summary>
    StepsLeftOut = 2,

    /// <summary>Connection tracking had not confirmed the flow when its first packet was traced: a confirmation is of that packet, or of a later one.</summary>
    BegunUnconfirmed = 4,

    /// <summary>What the originator's packet met last took it out of the kernel's hands (queue, stolen): nothing shows what became of it.</summary>
    Taken = 8,
}
