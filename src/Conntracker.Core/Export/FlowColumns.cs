namespace Conntracker.Core.Export;

/// <summary>The columns of the CSV file: the properties of <see cref="Flow"/>, in its order.</summary>
internal static class FlowColumns
{
    /// <summary>All columns, in the order that they are written in.</summary>
    public static IReadOnlyList<FlowColumn> All { get; } =
    [
        FlowColumn.Named<FlowProtocol>(nameof(FlowFields.Protocol), r => r.Protocol, (r, value) => r.Protocol = value, required: true),
        FlowColumn.Named<FlowFamily>(nameof(FlowFields.Family), r => r.Family, (r, value) => r.Family = value, required: true),
        FlowColumn.Address(nameof(FlowFields.SrcAddress), r => r.SrcAddress, (r, value) => r.SrcAddress = value, required: true),
        FlowColumn.Number<ushort>(nameof(FlowFields.SrcPort), r => r.SrcPort, (r, value) => r.SrcPort = value),
        FlowColumn.Address(nameof(FlowFields.DstAddress), r => r.DstAddress, (r, value) => r.DstAddress = value, required: true),
        FlowColumn.Number<ushort>(nameof(FlowFields.DstPort), r => r.DstPort, (r, value) => r.DstPort = value),
        FlowColumn.Number<byte>(nameof(FlowFields.IcmpType), r => r.IcmpType, (r, value) => r.IcmpType = value),
        FlowColumn.Number<byte>(nameof(FlowFields.IcmpCode), r => r.IcmpCode, (r, value) => r.IcmpCode = value),
        FlowColumn.Number<ushort>(nameof(FlowFields.IcmpId), r => r.IcmpId, (r, value) => r.IcmpId = value),
        FlowColumn.Address(nameof(FlowFields.ReplySrcAddress), r => r.ReplySrcAddress, (r, value) => r.ReplySrcAddress = value),
        FlowColumn.Number<ushort>(nameof(FlowFields.ReplySrcPort), r => r.ReplySrcPort, (r, value) => r.ReplySrcPort = value),
        FlowColumn.Address(nameof(FlowFields.ReplyDstAddress), r => r.ReplyDstAddress, (r, value) => r.ReplyDstAddress = value),
        FlowColumn.Number<ushort>(nameof(FlowFields.ReplyDstPort), r => r.ReplyDstPort, (r, value) => r.ReplyDstPort = value),
        FlowColumn.Truth(nameof(FlowFields.IsNat), r => r.IsNat, (r, value) => r.IsNat = value),
        FlowColumn.Named<FlowState>(nameof(FlowFields.State), r => r.State, (r, value) => r.State = value),
        FlowColumn.Named<TcpState>(nameof(FlowFields.TcpState), r => r.TcpState, (r, value) => r.TcpState = value),
        FlowColumn.Named<SctpState>(nameof(FlowFields.SctpState), r => r.SctpState, (r, value) => r.SctpState = value),
        FlowColumn.Named<DccpState>(nameof(FlowFields.DccpState), r => r.DccpState, (r, value) => r.DccpState = value),
        FlowColumn.Truth(nameof(FlowFields.Confirmed), r => r.Confirmed, (r, value) => r.Confirmed = value),
        FlowColumn.Time(nameof(FlowFields.FirstSeen), r => r.FirstSeen, (r, value) => r.FirstSeen = value),
        FlowColumn.Time(nameof(FlowFields.LastSeen), r => r.LastSeen, (r, value) => r.LastSeen = value),
        FlowColumn.Number<long>(nameof(FlowFields.Connections), r => r.Connections, (r, value) => r.Connections = value),
        FlowColumn.Number<ulong>(nameof(FlowFields.Packets), r => r.Packets, (r, value) => r.Packets = value),
        FlowColumn.Number<ulong>(nameof(FlowFields.Bytes), r => r.Bytes, (r, value) => r.Bytes = value),
        FlowColumn.Number<ulong>(nameof(FlowFields.ReplyPackets), r => r.ReplyPackets, (r, value) => r.ReplyPackets = value),
        FlowColumn.Number<ulong>(nameof(FlowFields.ReplyBytes), r => r.ReplyBytes, (r, value) => r.ReplyBytes = value),
        FlowColumn.Number<uint>(nameof(FlowFields.Mark), r => r.Mark, (r, value) => r.Mark = value),
        FlowColumn.Number<ushort>(nameof(FlowFields.Zone), r => r.Zone, (r, value) => r.Zone = value),
        FlowColumn.Number<uint>(nameof(FlowFields.ConntrackId), r => r.ConntrackId, (r, value) => r.ConntrackId = value),
        FlowColumn.Truth(nameof(FlowFields.Offloaded), r => r.Offloaded, (r, value) => r.Offloaded = value),
        FlowColumn.Named<FlowDirection>(nameof(FlowFields.Direction), r => r.Direction, (r, value) => r.Direction = value),
        FlowColumn.Named<FlowFolding>(nameof(FlowFields.Folding), r => r.Folding, (r, value) => r.Folding = value),
        FlowColumn.Json(nameof(FlowFields.Process), FlowJsonContext.Default.FlowProcess, r => r.Process, (r, value) => r.Process = value),
        FlowColumn.Json(nameof(FlowFields.Trace), FlowJsonContext.Default.IReadOnlyListTraceStep, r => r.Trace, (r, value) => r.Trace = value),
        FlowColumn.Named<FlowVerdict>(nameof(FlowFields.Verdict), r => r.Verdict, (r, value) => r.Verdict = value),
        FlowColumn.Text(nameof(FlowFields.VerdictRule), r => r.VerdictRule, (r, value) => r.VerdictRule = value),
    ];
}
