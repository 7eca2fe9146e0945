namespace Conntracker.Core.Export.Text;

/// <summary>
/// One line of a text log while it is collected, without its label; also the form in which IPv6 lines are stored, in 48 bytes. Process and trace are
/// numbers of <see cref="TextDetails"/>; 0 is none.
/// </summary>
internal struct TextLine : ITextLine<TextLine>
{
    /// <summary>The source address as a number.</summary>
    public UInt128 Source;

    /// <summary>The destination address as a number.</summary>
    public UInt128 Destination;

    /// <summary>The source port, or the ICMP type.</summary>
    public ushort SourcePort;

    /// <summary>The destination port, or the ICMP code.</summary>
    public ushort DestinationPort;

    /// <inheritdoc/>
    public int Process { readonly get; set; }

    /// <inheritdoc/>
    public int Trace { readonly get; set; }

    /// <inheritdoc/>
    public bool Confirmed { readonly get; set; }

    private readonly uint Ports => ((uint)SourcePort << 16) | DestinationPort;

    /// <inheritdoc/>
    public static TextLine Pack(in TextLine line) => line;

    /// <inheritdoc/>
    public readonly TextLine Unpack() => this;

    /// <inheritdoc/>
    public readonly bool HasTupleOf(in TextLine other) => Source == other.Source && Destination == other.Destination && Ports == other.Ports;

    /// <inheritdoc/>
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

        return Ports.CompareTo(other.Ports);
    }
}
