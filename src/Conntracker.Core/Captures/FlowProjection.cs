using Conntracker.Core.Flows;
using Conntracker.Core.HostAddresses;
using Conntracker.Core.Processes;
using Conntracker.Core.Tracing;
using static Conntracker.Core.Native.ConntrackConstants;

namespace Conntracker.Core.Captures;

/// <summary>Creates the public object of a flow from the table's record.</summary>
internal static class FlowProjection
{
    /// <summary>Creates the object.</summary>
    /// <param name="record">The flow.</param>
    /// <param name="counters">Its counters; null if the kernel did not count.</param>
    /// <param name="addresses">The host's addresses, for the direction.</param>
    /// <param name="details">The store that holds its details.</param>
    /// <param name="trace">The steps that its details refer to.</param>
    /// <param name="processes">The processes that its details refer to.</param>
    public static Flow ToFlow(
        ref readonly FlowRecord record, FlowCounters? counters, LocalAddresses addresses,
        FlowDetailStore details, TraceSnapshot trace, ProcessSnapshot processes)
    {
        FlowProcess? responder = processes.Responder(details, in record);
        ref readonly FlowKey key = ref record.Key;
        FlowProtocol protocol = key.Protocol;
        bool hasPorts = FlowKey.HasPorts(protocol);
        bool isIcmp = FlowKey.IsIcmp(protocol);
        bool isServiceFolded = record.Folding == FlowFolding.Protocol;
        bool isPortFolded = record.Folding != FlowFolding.None && key.Original.SrcPort == 0;
        return new Flow
        {
            Protocol = protocol,
            Family = key.Family,
            SrcAddress = key.Original.Src.ToIPAddress(key.Family),
            SrcPort = hasPorts && !isPortFolded ? key.Original.SrcPort : null,
            DstAddress = key.Original.Dst.ToIPAddress(key.Family),
            DstPort = hasPorts && !isServiceFolded ? key.Original.DstPort : null,
            IcmpType = isIcmp ? key.Original.IcmpType : null,
            IcmpCode = isIcmp ? key.Original.IcmpCode : null,
            IcmpId = isIcmp && !isPortFolded ? key.Original.SrcPort : null,
            ReplySrcAddress = record.Reply.Src.ToIPAddress(key.Family),
            ReplySrcPort = hasPorts && !isServiceFolded ? record.Reply.SrcPort : null,
            ReplyDstAddress = record.Reply.Dst.ToIPAddress(key.Family),
            ReplyDstPort = hasPorts && !isPortFolded ? record.Reply.DstPort : null,
            IsNat = (record.Status & (IPS_SRC_NAT | IPS_DST_NAT)) != 0,
            State = record.State,
            TcpState = protocol == FlowProtocol.Tcp ? (TcpState)record.ProtocolState : null,
            SctpState = protocol == FlowProtocol.Sctp ? (SctpState)record.ProtocolState : null,
            DccpState = protocol == FlowProtocol.Dccp ? (DccpState)record.ProtocolState : null,
            Confirmed = record.IsReplied,
            FirstSeen = new DateTimeOffset(record.FirstSeen, TimeSpan.Zero),
            LastSeen = new DateTimeOffset(record.LastSeen, TimeSpan.Zero),
            Connections = record.Connections,
            Packets = counters?.Packets,
            Bytes = counters?.Bytes,
            ReplyPackets = counters?.ReplyPackets,
            ReplyBytes = counters?.ReplyBytes,
            Mark = record.Mark,
            Zone = key.Zone,
            ConntrackId = record.Id == 0 ? null : record.Id,
            Offloaded = (record.Status & (IPS_OFFLOAD | IPS_HW_OFFLOAD)) != 0,
            Direction = addresses.DirectionOf(in record),
            Folding = record.Folding,
            Process = processes.Shown(details, in record, addresses.DirectionOf(in record)),
            ReplyProcess = responder,
            Trace = trace.Trace(details, in record),
            Verdict = trace.Verdict(details, in record),
            VerdictRule = trace.VerdictRule(details, in record),
            TraceIncomplete = TraceSnapshot.IsIncomplete(details, in record),
        };
    }
}
