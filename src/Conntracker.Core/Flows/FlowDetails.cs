using System.Runtime.InteropServices;

namespace Conntracker.Core.Flows;

/// <summary>What is known of a flow beyond connection tracking: the rules that its packets passed, and the processes at its ends.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct FlowDetails
{
    /// <summary>Instead of a process: two network namespaces claim this end of the flow.</summary>
    public const int Ambiguous = -1;

    /// <summary>The first <see cref="StepChunk"/>: its number + 1; 0 for none. In a free entry: the next free one, likewise.</summary>
    public int Steps;

    /// <summary>The step that decided on the first packet: its number + 1; 0 while none has.</summary>
    public int DecidingStep;

    /// <summary>Traced packets of the flow, both directions; saturates.</summary>
    public uint Packets;

    /// <summary>What is known of its first packet.</summary>
    public FlowDetailFlags Flags;

    /// <summary>The process of the original direction: its number + 1; 0 for none; <see cref="Ambiguous"/>.</summary>
    public int Process;

    /// <summary>The process of the reply direction: its number + 1; 0 for none; <see cref="Ambiguous"/>.</summary>
    public int ReplyProcess;
}

/// <summary>What is known of a flow's first traced packet.</summary>
[Flags]
internal enum FlowDetailFlags
{
    /// <summary>Nothing.</summary>
    None = 0,

    /// <summary>The packet reached the end of its last hook: no rule can drop it after that.</summary>
    Passed = 1,

    /// <summary>Steps of its packets are missing: there were more than a flow or a packet keeps, or a packet was given up before its last step.</summary>
    StepsLeftOut = 2,

    /// <summary>The flow was unconfirmed when its first packet was traced: the packet that is confirmed may be that one, or a later one.</summary>
    BegunUnconfirmed = 4,

    /// <summary>The originator's packet left the kernel's rules in its last step (queue, stolen): nothing shows what became of it.</summary>
    Taken = 8,
}
