namespace Conntracker.Core.Export.Text;

/// <summary>How a section stores its lines: IPv4, the most frequent, takes half the memory and half the time of IPv6.</summary>
/// <typeparam name="TSelf">The structure itself, ordered as the log is: addresses as numbers, then ports.</typeparam>
internal interface ITextLine<TSelf> : IComparable<TSelf>
    where TSelf : struct, ITextLine<TSelf>
{
    /// <summary>The process's number; see <see cref="TextDetails"/>.</summary>
    int Process { get; }

    /// <summary>The trace's number.</summary>
    int Trace { get; set; }

    /// <summary>Whether the line says <c>(confirmed)</c>.</summary>
    bool Confirmed { get; set; }

    /// <summary>Packs a line.</summary>
    static abstract TSelf Pack(in TextLine line);

    /// <summary>Unpacks it.</summary>
    TextLine Unpack();

    /// <summary>True when both lines print the same addresses and ports.</summary>
    bool HasTupleOf(in TSelf other);
}
