using System.Runtime.InteropServices;

namespace Conntracker.Core.Flows;

/// <summary>A few steps of a flow's trace, each with its count of packets, and where the next ones are.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct StepChunk
{
    /// <summary>Steps a chunk.</summary>
    public const int Capacity = 6;

    /// <summary>The bit of <see cref="Steps"/> that says that a packet of the originator met the step.</summary>
    public const int OfOriginator = int.MinValue;

    /// <summary>The numbers of the steps + 1, with <see cref="OfOriginator"/>; 0 where there is none.</summary>
    public fixed int Steps[Capacity];

    /// <summary>How many packets passed each; stays at its maximum once there.</summary>
    public fixed uint Packets[Capacity];

    /// <summary>The next chunk: its number + 1; 0 at the end. Of a free chunk, the next free one.</summary>
    public int Next;
}
