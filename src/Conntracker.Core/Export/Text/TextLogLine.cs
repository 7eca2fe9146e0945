namespace Conntracker.Core.Export.Text;

/// <summary>A flow's line of a text log as it was read, with its trace lines in their order.</summary>
internal sealed class TextLogLine
{
    /// <summary>Protocol and family.</summary>
    public required LogLineKind Label { get; init; }

    /// <summary>The source address as a number.</summary>
    public UInt128 Source { get; init; }

    /// <summary>The destination address as a number.</summary>
    public UInt128 Destination { get; init; }

    /// <summary>The source port, or the ICMP type; 0 for protocols that have neither.</summary>
    public ushort SourcePort { get; init; }

    /// <summary>The destination port, or the ICMP code.</summary>
    public ushort DestinationPort { get; init; }

    /// <summary>True when the line says <c>(confirmed)</c>.</summary>
    public bool Confirmed { get; init; }

    /// <summary>The process that the line names; null when it names none.</summary>
    public FlowProcess? Process { get; init; }

    /// <summary>The trace lines below.</summary>
    public IReadOnlyList<TraceStep> Trace { get; init; } = [];

    /// <summary>
    /// The generation that the line shows: V3 by its suffix, V2 by the trace of a line without one, else V1 (V2 without a trace is the same). Null
    /// when it shows none: ICMP is printed alike in all generations, unless its trace is indented by spaces.
    /// </summary>
    public LogStyle? Style { get; init; }

    /// <summary>The line's number in its file.</summary>
    public long Number { get; init; }

    /// <summary>The style of a whole log: the newest that any of its lines shows, V3 when none shows one.</summary>
    public static LogStyle StyleOf(IEnumerable<TextLogLine> lines) => lines.Max(line => line.Style) ?? LogStyle.V3;

    /// <summary>The line's addresses and ports, in the form that a writer takes.</summary>
    public TextLine ToTextLine() => new()
    {
        Source = Source,
        Destination = Destination,
        SourcePort = SourcePort,
        DestinationPort = DestinationPort,
        Confirmed = Confirmed,
    };
}
