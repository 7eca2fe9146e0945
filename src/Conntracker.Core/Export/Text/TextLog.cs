using Conntracker.Core.Addresses;

namespace Conntracker.Core.Export.Text;

/// <summary>
/// Collects the lines of a text log in one style. Three stages: add flows in any order, sort, write. Not thread-safe.
/// </summary>
internal sealed class TextLog(LogStyle style)
{
    private const ushort FoldedPort = 1024;

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
        FlowFamily family = flow.Family == FlowFamily.None ? AddressText.Family(flow.SrcAddress) : flow.Family;
        LogLineKind label = new(flow.Protocol, family);
        (ushort sourcePort, ushort destinationPort) = label.IsIcmp
            ? (flow.IcmpType ?? 0, flow.IcmpCode ?? 0)
            : (flow.SrcPort ?? FoldedPort, flow.DstPort ?? 0);
        Add(flow.Protocol, family, AddressText.ToNumber(flow.SrcAddress, family), AddressText.ToNumber(flow.DstAddress, family),
            sourcePort, destinationPort, flow.Confirmed, flow.Process, flow.Trace);

        if (flow is { Confirmed: true, ReplySrcAddress: not null, ReplyDstAddress: not null })
        {
            AddReply(flow.Protocol, family, AddressText.ToNumber(flow.ReplySrcAddress, family), AddressText.ToNumber(flow.ReplyDstAddress, family),
                flow.ReplySrcPort ?? 0, flow.ReplyDstPort ?? FoldedPort, flow.ReplyProcess ?? flow.Process, flow.ReplyTrace ?? flow.Trace);
        }
    }

    /// <summary>Adds the line of a flow's original direction.</summary>
    /// <param name="protocol">The protocol above IP.</param>
    /// <param name="family">IPv4 or IPv6.</param>
    /// <param name="source">The source address as a number.</param>
    /// <param name="destination">The destination address as a number.</param>
    /// <param name="sourcePort">The source port, or the ICMP type; ignored for protocols that have neither.</param>
    /// <param name="destinationPort">The destination port, or the ICMP code.</param>
    /// <param name="confirmed">Whether both sides have sent packets.</param>
    /// <param name="process">The process, when it is known.</param>
    /// <param name="trace">The steps that the flow traversed, in any order; they are copied.</param>
    public void Add(FlowProtocol protocol, FlowFamily family, UInt128 source, UInt128 destination, ushort sourcePort, ushort destinationPort,
        bool confirmed, FlowProcess? process, IReadOnlyList<TraceStep>? trace)
    {
        LogLineKind label = new(protocol, family);
        TextLine line = new() { Source = source, Destination = destination, Trace = _details.Add(trace) };
        if (label.HasPorts)
        {
            line.SourcePort = style == LogStyle.V3 ? sourcePort : Math.Min(sourcePort, FoldedPort);
            line.DestinationPort = destinationPort;
        }
        else if (label.IsIcmp)
        {
            line.SourcePort = (byte)sourcePort;
            line.DestinationPort = (byte)destinationPort;
        }

        if (style != LogStyle.V3)
        {
            line.Confirmed = confirmed;
        }
        else if (!label.IsIcmp)
        {
            line.Process = _details.Add(process);
        }

        Section(label).Add(in line);
    }

    /// <summary>
    /// Adds the line of a confirmed flow's reply direction, with the addresses and ports of the reply tuple. Only V3 has such lines, and none for
    /// ICMP; otherwise this does nothing.
    /// </summary>
    public void AddReply(FlowProtocol protocol, FlowFamily family, UInt128 source, UInt128 destination, ushort sourcePort, ushort destinationPort,
        FlowProcess? process, IReadOnlyList<TraceStep>? trace)
    {
        if (style == LogStyle.V3 && !new LogLineKind(protocol, family).IsIcmp)
        {
            Add(protocol, family, source, destination, sourcePort, destinationPort, confirmed: true, process, trace);
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
