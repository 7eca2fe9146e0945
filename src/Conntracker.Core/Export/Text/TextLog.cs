namespace Conntracker.Core.Export.Text;

/// <summary>
/// Collects the lines of a text log in one style. Three stages: add flows in any order, sort, write. Not thread-safe.
/// </summary>
internal sealed class TextLog(LogStyle style)
{
    private readonly TextSection?[] _sections = new TextSection?[LogLineKind.Count];
    private readonly TextDetails _details = new(style);

    /// <summary>The style that lines are added for.</summary>
    public LogStyle Style => style;

    /// <summary>How many lines there are; fewer after sorting when some were equal.</summary>
    public int Count => _sections.Sum(section => section?.Count ?? 0);

    /// <summary>
    /// Adds a flow, and in V3 the line of its reply direction when there is one to print: the flow is confirmed and its reply tuple is known.
    /// </summary>
    public void Add(Flow flow)
    {
        Add(LogLine.From(flow), flow.Confirmed, flow.Process, flow.Trace);
        if (flow.Confirmed && LogLine.FromReply(flow) is LogLine reply)
        {
            AddReply(in reply, flow.ReplyProcess ?? flow.Process, flow.ReplyTrace ?? flow.Trace);
        }
    }

    /// <summary>Adds the line of a flow's original direction.</summary>
    /// <param name="from">Addresses and ports.</param>
    /// <param name="confirmed">Whether both sides have sent packets.</param>
    /// <param name="process">The process, when it is known.</param>
    /// <param name="trace">The steps that the flow traversed, in any order; they are copied.</param>
    public void Add(in LogLine from, bool confirmed, FlowProcess? process, IReadOnlyList<TraceStep>? trace)
    {
        TextLine line = new() { Source = from.Source, Destination = from.Destination, Trace = _details.Add(trace) };
        if (from.Kind.HasPorts)
        {
            line.SourcePort = style == LogStyle.V3 ? from.SourcePort : Math.Min(from.SourcePort, LogLine.FoldedPort);
            line.DestinationPort = from.DestinationPort;
        }
        else if (from.Kind.IsIcmp)
        {
            line.SourcePort = from.SourcePort;
            line.DestinationPort = from.DestinationPort;
        }

        if (style != LogStyle.V3)
        {
            line.Confirmed = confirmed;
        }
        else if (!from.Kind.IsIcmp)
        {
            line.Process = _details.Add(process);
        }

        Section(from.Kind).Add(in line);
    }

    /// <summary>
    /// Adds the line of a confirmed flow's reply direction, with the addresses and ports of the reply tuple. Only V3 has such lines, and none for
    /// ICMP; otherwise this does nothing.
    /// </summary>
    public void AddReply(in LogLine from, FlowProcess? process, IReadOnlyList<TraceStep>? trace)
    {
        if (style == LogStyle.V3 && !from.Kind.IsIcmp)
        {
            Add(in from, confirmed: true, process, trace);
        }
    }

    /// <summary>Sorts the lines of every label in the log's order and merges equal ones.</summary>
    public void Sort()
    {
        foreach (TextSection? section in _sections)
        {
            section?.Sort(_details);
        }
    }

    /// <summary>Writes the lines in their current order, label by label.</summary>
    public void WriteTo(Stream stream)
    {
        using TextLogWriter writer = new(stream, style);
        foreach (TextSection section in _sections.OfType<TextSection>().OrderBy(section => section.Label.Rank))
        {
            section.WriteTo(writer, _details);
        }

        writer.Flush();
    }

    private TextSection Section(LogLineKind label) => _sections[label.Index] ??= TextSection.Create(label);
}
