using System.Net;
using System.Text.Json.Serialization;

namespace Conntracker;

/// <summary>
/// A flow: the connections that share an original tuple and a zone, with the reply tuple, state, counters, the rules that their packets
/// passed and the process behind them. "Original" is the direction of the first packet that connection tracking saw.
/// </summary>
public sealed class Flow
{
    /// <summary>The protocol above IP (CTA_PROTO_NUM).</summary>
    [JsonInclude, JsonRequired]
    public FlowProtocol Protocol { get; internal set; }

    /// <summary>IPv4 or IPv6.</summary>
    [JsonInclude, JsonRequired]
    public FlowFamily Family { get; internal set; }

    /// <summary>The originator's address, before NAT. The unspecified address when folded (<see cref="Folding"/>).</summary>
    [JsonInclude, JsonRequired]
    public IPAddress SrcAddress { get; internal set; } = IPAddress.None;

    /// <summary>The originator's port, before NAT; null for protocols without ports, and when folded.</summary>
    [JsonInclude]
    public ushort? SrcPort { get; internal set; }

    /// <summary>The address that the originator sent to, before NAT.</summary>
    [JsonInclude, JsonRequired]
    public IPAddress DstAddress { get; internal set; } = IPAddress.None;

    /// <summary>The port that the originator sent to, before NAT; null for protocols without ports, and when folded to the protocol.</summary>
    [JsonInclude]
    public ushort? DstPort { get; internal set; }

    /// <summary>The ICMP type of the first packet (CTA_PROTO_ICMP_TYPE, CTA_PROTO_ICMPV6_TYPE); null for other protocols.</summary>
    [JsonInclude]
    public byte? IcmpType { get; internal set; }

    /// <summary>The ICMP code of the first packet; null for other protocols.</summary>
    [JsonInclude]
    public byte? IcmpCode { get; internal set; }

    /// <summary>The ICMP query's id; null for other protocols, and when folded.</summary>
    [JsonInclude]
    public ushort? IcmpId { get; internal set; }

    /// <summary>The address that answers: the destination after NAT. Null when not known (read from a text log).</summary>
    [JsonInclude]
    public IPAddress? ReplySrcAddress { get; internal set; }

    /// <summary>The port that answers; null for protocols without ports, and when folded to the protocol.</summary>
    [JsonInclude]
    public ushort? ReplySrcPort { get; internal set; }

    /// <summary>The address that replies are sent to: the source after NAT. Null when not known.</summary>
    [JsonInclude]
    public IPAddress? ReplyDstAddress { get; internal set; }

    /// <summary>The port that replies are sent to; null for protocols without ports, and when folded.</summary>
    [JsonInclude]
    public ushort? ReplyDstPort { get; internal set; }

    /// <summary>True when the kernel translates an address or a port (IPS_SRC_NAT, IPS_DST_NAT).</summary>
    [JsonInclude]
    public bool IsNat { get; internal set; }

    /// <summary>The state of the newest connection.</summary>
    [JsonInclude]
    public FlowState State { get; internal set; }

    /// <summary>TCP: the state in connection tracking; once the connection is closed, the last known one. Null for other protocols.</summary>
    [JsonInclude]
    public TcpState? TcpState { get; internal set; }

    /// <summary>SCTP: the association's state. Null for other protocols.</summary>
    [JsonInclude]
    public SctpState? SctpState { get; internal set; }

    /// <summary>DCCP: the connection's state. Null for other protocols.</summary>
    [JsonInclude]
    public DccpState? DccpState { get; internal set; }

    /// <summary>True once packets were seen in both directions, in any of the flow's connections.</summary>
    [JsonInclude]
    public bool Confirmed { get; internal set; }

    /// <summary>When the flow began (CTA_TIMESTAMP_START with accounting), or was first seen; null when not known.</summary>
    [JsonInclude]
    public DateTimeOffset? FirstSeen { get; internal set; }

    /// <summary>When the kernel last reported something new; null when not known.</summary>
    [JsonInclude]
    public DateTimeOffset? LastSeen { get; internal set; }

    /// <summary>The number of connections: 1, or more when the tuple was used again or flows were folded.</summary>
    [JsonInclude]
    public long Connections { get; internal set; } = 1;

    /// <summary>Packets in the original direction, over all connections; null without accounting.</summary>
    [JsonInclude]
    public ulong? Packets { get; internal set; }

    /// <summary>Bytes in the original direction, IP headers included; null without accounting.</summary>
    [JsonInclude]
    public ulong? Bytes { get; internal set; }

    /// <summary>Packets in the reply direction; null without accounting.</summary>
    [JsonInclude]
    public ulong? ReplyPackets { get; internal set; }

    /// <summary>Bytes in the reply direction; null without accounting.</summary>
    [JsonInclude]
    public ulong? ReplyBytes { get; internal set; }

    /// <summary>The connection mark (CTA_MARK); 0 when none is set.</summary>
    [JsonInclude]
    public uint Mark { get; internal set; }

    /// <summary>The conntrack zone (CTA_ZONE); 0 is the default zone.</summary>
    [JsonInclude]
    public ushort Zone { get; internal set; }

    /// <summary>The kernel's id of the newest connection (CTA_ID); null when not known. The kernel reuses ids.</summary>
    [JsonInclude]
    public uint? ConntrackId { get; internal set; }

    /// <summary>True when a flowtable forwards the packets past the rules (IPS_OFFLOAD, IPS_HW_OFFLOAD); counters may then not increase.</summary>
    [JsonInclude]
    public bool Offloaded { get; internal set; }

    /// <summary>The direction, as the host sees it.</summary>
    [JsonInclude]
    public FlowDirection Direction { get; internal set; }

    /// <summary>How much of the key was folded: at the flow limit, or for firewall rules.</summary>
    [JsonInclude]
    public FlowFolding Folding { get; internal set; }

    /// <summary>The process behind the flow: the originator if it is on this host, otherwise the responder; null when not known.</summary>
    [JsonInclude]
    public FlowProcess? Process { get; internal set; }

    /// <summary>The process that answers, if it is on this host; null when not known.</summary>
    [JsonInclude]
    public FlowProcess? ReplyProcess { get; internal set; }

    /// <summary>The rules that the packets passed; empty when the flow was not traced.</summary>
    [JsonInclude]
    public IReadOnlyList<TraceStep> Trace { get; internal set; } = [];

    /// <summary>The firewall's verdict on the first packet.</summary>
    [JsonInclude]
    public FlowVerdict Verdict { get; internal set; }

    /// <summary>The rule or policy that decided the verdict; null when not known.</summary>
    [JsonInclude]
    public string? VerdictRule { get; internal set; }

    /// <summary>
    /// True when steps are known to be missing in <see cref="Trace"/>: more than 192 different ones, more than 64 of one packet before
    /// its flow was known, or a packet that was given up because too many were in progress. Losses before the messages were read
    /// (<see cref="Capture.NftablesTracesLost"/>) cannot be attributed to a flow.
    /// </summary>
    [JsonInclude]
    public bool TraceIncomplete { get; internal set; }

    /// <summary>
    /// The interface that the first packet comes in by, for a flow that New-ConntrackFlow made; null when the routes decide, for a flow that this host
    /// began, and for every flow that was captured: connection tracking does not know interfaces.
    /// </summary>
    [JsonInclude]
    public string? InInterface { get; internal set; }

    /// <summary>The interface that the first packet leaves by, for a flow that New-ConntrackFlow made; null when the routes decide.</summary>
    [JsonInclude]
    public string? OutInterface { get; internal set; }

    /// <summary>
    /// The mark that the first packet has from its start (<c>meta mark</c>, SO_MARK), for a flow that New-ConntrackFlow made; otherwise null.
    /// </summary>
    [JsonInclude]
    public uint? PacketMark { get; internal set; }

    /// <summary>
    /// The steps that followed the reply direction's line in the text log that the flow was read from, if they differ from
    /// <see cref="Trace"/>: the log can then be written again unchanged. Otherwise null.
    /// </summary>
    internal IReadOnlyList<TraceStep>? ReplyTrace { get; set; }

    /// <summary>Protocol, source and destination on one line.</summary>
    public override string ToString() =>
        $"{Protocol} {Endpoint(SrcAddress, SrcPort)} -> {Endpoint(DstAddress, DstPort)}";

    /// <summary>Another flow object with the same values.</summary>
    internal Flow Copy() => (Flow)MemberwiseClone();

    private static string Endpoint(IPAddress address, ushort? port) =>
        port is null ? address.ToString() : new IPEndPoint(address, port.Value).ToString();
}
