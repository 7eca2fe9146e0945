using System.Runtime.InteropServices;

namespace Conntracker.Core.Flows;

/// <summary>Some steps of a flow's trace, each with its count of packets, and a link to the next ones.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct StepChunk
{
    /// <summary>Steps per chunk.</summary>
    public const int Capacity = 6;

    /// <summary>The bit in <see cref="Steps"/> that marks a step met by a packet of the originator.</summary>
    public const int OfOriginator = int.MinValue;

    /// <summary>The numbers of the steps + 1, with <see cref="OfOriginator"/>; 0 for none.</summary>
    public fixed int Steps[Capacity];

    /// <summary>The number of packets of each step; saturates.</summary>
    public fixed uint Packets[Capacity];

    /// <summary>The next chunk: its number + 1; 0 at the end. In a free chunk: the next free one.</summary>
    public int Next;
}
