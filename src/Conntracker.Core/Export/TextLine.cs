using System.Runtime.InteropServices;

namespace Conntracker.Core.Export;

/// <summary>
/// One line of a text log while it is collected: 48 bytes, without its label. Process and trace are numbers of
/// <see cref="TextEvidence"/>; 0 is none. Ports hold type and code for ICMP.
/// </summary>
[StructLayout(LayoutKind.Sequential)]
internal struct TextLine : IComparable<TextLine>
{
    /// <summary>The source address as a number.</summary>
    public UInt128 Source;

    /// <summary>The destination address as a number.</summary>
    public UInt128 Destination;

    /// <summary>The source port, or the ICMP type.</summary>
    public ushort SourcePort;

    /// <summary>The destination port, or the ICMP code.</summary>
    public ushort DestinationPort;

    /// <summary>The process's number.</summary>
    public int Process;

    /// <summary>The trace's number.</summary>
    public int Trace;

    /// <summary>Whether the line says <c>(confirmed)</c>.</summary>
    public bool Confirmed;

    /// <summary>True when both lines print the same addresses and ports.</summary>
    public readonly bool HasTupleOf(in TextLine other) =>
        Source == other.Source && Destination == other.Destination
        && SourcePort == other.SourcePort && DestinationPort == other.DestinationPort;

    /// <summary>The log's order: addresses as numbers, then ports.</summary>
    public readonly int CompareTo(TextLine other)
    {
        if (Source != other.Source)
        {
            return Source < other.Source ? -1 : 1;
        }

        if (Destination != other.Destination)
        {
            return Destination < other.Destination ? -1 : 1;
        }

        return ((SourcePort << 16) | DestinationPort).CompareTo((other.SourcePort << 16) | other.DestinationPort);
    }
}
