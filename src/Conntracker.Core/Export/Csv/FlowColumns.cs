using Conntracker.Core.Export.Json;

namespace Conntracker.Core.Export.Csv;

/// <summary>The columns of the CSV file: the properties of <see cref="Flow"/>, in its order.</summary>
internal static class FlowColumns
{
    /// <summary>All columns, in the order in which they are written.</summary>
    public static IReadOnlyList<FlowColumn> All { get; } =
    [
        FlowColumn.Named<FlowProtocol>(nameof(Flow.Protocol), r => r.Protocol, (r, value) => r.Protocol = value, required: true),
        FlowColumn.Named<FlowFamily>(nameof(Flow.Family), r => r.Family, (r, value) => r.Family = value, required: true),
        FlowColumn.Address(nameof(Flow.SrcAddress), r => r.SrcAddress, (r, value) => r.SrcAddress = value, required: true),
        FlowColumn.Number<ushort>(nameof(Flow.SrcPort), r => r.SrcPort, (r, value) => r.SrcPort = value),
        FlowColumn.Address(nameof(Flow.DstAddress), r => r.DstAddress, (r, value) => r.DstAddress = value, required: true),
        FlowColumn.Number<ushort>(nameof(Flow.DstPort), r => r.DstPort, (r, value) => r.DstPort = value),
        FlowColumn.Number<byte>(nameof(Flow.IcmpType), r => r.IcmpType, (r, value) => r.IcmpType = value),
        FlowColumn.Number<byte>(nameof(Flow.IcmpCode), r => r.IcmpCode, (r, value) => r.IcmpCode = value),
        FlowColumn.Number<ushort>(nameof(Flow.IcmpId), r => r.IcmpId, (r, value) => r.IcmpId = value),
        FlowColumn.Address(nameof(Flow.ReplySrcAddress), r => r.ReplySrcAddress, (r, value) => r.ReplySrcAddress = value),
        FlowColumn.Number<ushort>(nameof(Flow.ReplySrcPort), r => r.ReplySrcPort, (r, value) => r.ReplySrcPort = value),
        FlowColumn.Address(nameof(Flow.ReplyDstAddress), r => r.ReplyDstAddress, (r, value) => r.ReplyDstAddress = value),
        FlowColumn.Number<ushort>(nameof(Flow.ReplyDstPort), r => r.ReplyDstPort, (r, value) => r.ReplyDstPort = value),
        FlowColumn.Truth(nameof(Flow.IsNat), r => r.IsNat, (r, value) => r.IsNat = value),
        FlowColumn.Named<FlowState>(nameof(Flow.State), r => r.State, (r, value) => r.State = value),
        FlowColumn.Named<TcpState>(nameof(Flow.TcpState), r => r.TcpState, (r, value) => r.TcpState = value),
        FlowColumn.Named<SctpState>(nameof(Flow.SctpState), r => r.SctpState, (r, value) => r.SctpState = value),
        FlowColumn.Named<DccpState>(nameof(Flow.DccpState), r => r.DccpState, (r, value) => r.DccpState = value),
        FlowColumn.Truth(nameof(Flow.Confirmed), r => r.Confirmed, (r, value) => r.Confirmed = value),
        FlowColumn.Time(nameof(Flow.FirstSeen), r => r.FirstSeen, (r, value) => r.FirstSeen = value),
        FlowColumn.Time(nameof(Flow.LastSeen), r => r.LastSeen, (r, value) => r.LastSeen = value),
        FlowColumn.Number<long>(nameof(Flow.Connections), r => r.Connections, (r, value) => r.Connections = value),
        FlowColumn.Number<ulong>(nameof(Flow.Packets), r => r.Packets, (r, value) => r.Packets = value),
        FlowColumn.Number<ulong>(nameof(Flow.Bytes), r => r.Bytes, (r, value) => r.Bytes = value),
        FlowColumn.Number<ulong>(nameof(Flow.ReplyPackets), r => r.ReplyPackets, (r, value) => r.ReplyPackets = value),
        FlowColumn.Number<ulong>(nameof(Flow.ReplyBytes), r => r.ReplyBytes, (r, value) => r.ReplyBytes = value),
        FlowColumn.Number<uint>(nameof(Flow.Mark), r => r.Mark, (r, value) => r.Mark = value),
        FlowColumn.Number<ushort>(nameof(Flow.Zone), r => r.Zone, (r, value) => r.Zone = value),
        FlowColumn.Number<uint>(nameof(Flow.ConntrackId), r => r.ConntrackId, (r, value) => r.ConntrackId = value),
        FlowColumn.Truth(nameof(Flow.Offloaded), r => r.Offloaded, (r, value) => r.Offloaded = value),
        FlowColumn.Named<FlowDirection>(nameof(Flow.Direction), r => r.Direction, (r, value) => r.Direction = value),
        FlowColumn.Named<FlowFolding>(nameof(Flow.Folding), r => r.Folding, (r, value) => r.Folding = value),
        FlowColumn.Json(nameof(Flow.Process), FlowJsonContext.Default.FlowProcess, r => r.Process, (r, value) => r.Process = value),
        FlowColumn.Json(nameof(Flow.ReplyProcess), FlowJsonContext.Default.FlowProcess, r => r.ReplyProcess, (r, value) => r.ReplyProcess = value),
        FlowColumn.Json(nameof(Flow.Trace), FlowJsonContext.Default.IReadOnlyListTraceStep, r => r.Trace, (r, value) => r.Trace = value),
        FlowColumn.Named<FlowVerdict>(nameof(Flow.Verdict), r => r.Verdict, (r, value) => r.Verdict = value),
        FlowColumn.Text(nameof(Flow.VerdictRule), r => r.VerdictRule, (r, value) => r.VerdictRule = value),
        FlowColumn.Truth(nameof(Flow.TraceIncomplete), r => r.TraceIncomplete, (r, value) => r.TraceIncomplete = value),
        FlowColumn.Text(nameof(Flow.InInterface), r => r.InInterface, (r, value) => r.InInterface = value),
        FlowColumn.Text(nameof(Flow.OutInterface), r => r.OutInterface, (r, value) => r.OutInterface = value),
        FlowColumn.Number<uint>(nameof(Flow.PacketMark), r => r.PacketMark, (r, value) => r.PacketMark = value),
    ];
}
