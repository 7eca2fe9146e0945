using Conntracker.Core.Addresses;
using Conntracker.Core.Flows;

namespace Conntracker.Core.Export.Text;

/// <summary>A line of a text log for one direction of a flow: what it prints of addresses and ports.</summary>
/// <param name="Kind">Protocol and family.</param>
/// <param name="Source">The source address as a number.</param>
/// <param name="Destination">The destination address as a number.</param>
/// <param name="SourcePort">The source port, or the ICMP type; not printed for protocols that have neither.</param>
/// <param name="DestinationPort">The destination port, or the ICMP code.</param>
internal readonly record struct LogLine(LogLineKind Kind, UInt128 Source, UInt128 Destination, ushort SourcePort, ushort DestinationPort)
{
    /// <summary>What is printed for an aggregated client port. V1 prints it for every higher client port.</summary>
    public const ushort FoldedPort = 1024;

    /// <summary>The original direction of a flow.</summary>
    public static LogLine From(Flow flow)
    {
        LogLineKind kind = KindOf(flow);
        return From(
            kind, AddressText.ToNumber(flow.SrcAddress, kind.Family), AddressText.ToNumber(flow.DstAddress, kind.Family),
            client: flow.SrcPort, service: flow.DstPort, flow.IcmpType, flow.IcmpCode);
    }

    /// <summary>The reply direction of a flow; null when its reply tuple is not known.</summary>
    public static LogLine? FromReply(Flow flow)
    {
        LogLineKind kind = KindOf(flow);
        return flow is { ReplySrcAddress: { } source, ReplyDstAddress: { } destination }
            ? From(
                kind, AddressText.ToNumber(destination, kind.Family), AddressText.ToNumber(source, kind.Family),
                client: flow.ReplyDstPort, service: flow.ReplySrcPort, flow.IcmpType, flow.IcmpCode).Reversed()
            : null;
    }

    /// <summary>The original direction of a flow.</summary>
    public static LogLine From(ref readonly FlowRecord record)
    {
        ref readonly FlowEndpoints ends = ref record.Key.Original;
        return From(KindOf(in record), ends.Src.ToUInt128(), ends.Dst.ToUInt128(),
            IsClientFolded(in record) ? null : ends.SrcPort, ends.DstPort, ends.IcmpType, ends.IcmpCode);
    }

    /// <summary>The reply direction of a flow.</summary>
    public static LogLine FromReply(ref readonly FlowRecord record)
    {
        ref readonly FlowEndpoints ends = ref record.Reply;
        return From(
            KindOf(in record), ends.Dst.ToUInt128(), ends.Src.ToUInt128(), IsClientFolded(in record)
                ? null : ends.DstPort, ends.SrcPort, ends.IcmpType, ends.IcmpCode).Reversed();
    }

    // From the client to the service. Null: aggregated or not known.
    private static LogLine From(LogLineKind kind, UInt128 source, UInt128 destination, ushort? client, ushort? service, byte? type, byte? code) => kind.IsIcmp
        ? new LogLine(kind, source, destination, type ?? 0, code ?? 0)
        : new LogLine(kind, source, destination, client ?? FoldedPort, service ?? 0);

    private LogLine Reversed() => this with { Source = Destination, Destination = Source, SourcePort = DestinationPort, DestinationPort = SourcePort };

    private static LogLineKind KindOf(Flow flow) => new(flow.Protocol, flow.Family == FlowFamily.None ? AddressText.Family(flow.SrcAddress) : flow.Family);

    private static LogLineKind KindOf(ref readonly FlowRecord record) => new(record.Key.Protocol, record.Key.Family);

    private static bool IsClientFolded(ref readonly FlowRecord record) =>
        record.Folding != FlowFolding.None && record.Key.Original.SrcPort == 0 && FlowKey.HasPorts(record.Key.Protocol);
}
