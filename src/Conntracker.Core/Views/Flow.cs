using System.Net;

namespace Conntracker;

/// <summary>
/// One flow: the connections that share an original tuple and a zone, with the reply tuple, state, counters, the rules they
/// passed and the process behind them. "Original" is the direction of the first packet that connection tracking saw.
/// </summary>
public sealed class Flow
{
    /// <summary>The protocol above IP (CTA_PROTO_NUM).</summary>
    public required FlowProtocol Protocol { get; init; }

    /// <summary>IPv4 or IPv6.</summary>
    public required FlowFamily Family { get; init; }

    /// <summary>The originator's address, before NAT. The unspecified address when folded (<see cref="Folding"/>).</summary>
    public required IPAddress SrcAddress { get; init; }

    /// <summary>The originator's port, before NAT; null for protocols without ports, and when folded.</summary>
    public ushort? SrcPort { get; init; }

    /// <summary>The address that the originator spoke to, before NAT.</summary>
    public required IPAddress DstAddress { get; init; }

    /// <summary>The port that the originator spoke to, before NAT; null for protocols without ports.</summary>
    public ushort? DstPort { get; init; }

    /// <summary>The ICMP type of the first packet (CTA_PROTO_ICMP_TYPE, CTA_PROTO_ICMPV6_TYPE); null for other protocols.</summary>
    public byte? IcmpType { get; init; }

    /// <summary>The ICMP code of the first packet; null for other protocols.</summary>
    public byte? IcmpCode { get; init; }

    /// <summary>The ICMP query's id; null for other protocols, and when folded.</summary>
    public ushort? IcmpId { get; init; }

    /// <summary>Who answers: the destination after NAT. Null when not known (a log of text).</summary>
    public IPAddress? ReplySrcAddress { get; init; }

    /// <summary>The port that answers; null for protocols without ports.</summary>
    public ushort? ReplySrcPort { get; init; }

    /// <summary>Whom it answers to: the source after NAT. Null when not known.</summary>
    public IPAddress? ReplyDstAddress { get; init; }

    /// <summary>The port that it answers to; null for protocols without ports, and when folded.</summary>
    public ushort? ReplyDstPort { get; init; }

    /// <summary>True when the kernel translates an address or a port (IPS_SRC_NAT, IPS_DST_NAT).</summary>
    public bool IsNat { get; init; }

    /// <summary>The state of the newest connection.</summary>
    public FlowState State { get; init; }

    /// <summary>TCP: the state that connection tracking gives it, the last one known once it is closed. Null for other protocols.</summary>
    public TcpState? TcpState { get; init; }

    /// <summary>SCTP: the association's state. Null for other protocols.</summary>
    public SctpState? SctpState { get; init; }

    /// <summary>DCCP: the connection's state. Null for other protocols.</summary>
    public DccpState? DccpState { get; init; }

    /// <summary>True once both sides have spoken, in any of the flow's connections.</summary>
    public bool Confirmed { get; init; }

    /// <summary>When the flow began (CTA_TIMESTAMP_START with accounting), or was first seen; null when not known.</summary>
    public DateTimeOffset? FirstSeen { get; init; }

    /// <summary>When the kernel last told something new of it; null when not known.</summary>
    public DateTimeOffset? LastSeen { get; init; }

    /// <summary>How many connections the flow stands for: 1, more when the tuple was used again or flows were folded.</summary>
    public long Connections { get; init; } = 1;

    /// <summary>Packets in the original direction, over all connections; null without accounting.</summary>
    public ulong? Packets { get; init; }

    /// <summary>Bytes in the original direction, IP headers included; null without accounting.</summary>
    public ulong? Bytes { get; init; }

    /// <summary>Packets in the reply direction; null without accounting.</summary>
    public ulong? ReplyPackets { get; init; }

    /// <summary>Bytes in the reply direction; null without accounting.</summary>
    public ulong? ReplyBytes { get; init; }

    /// <summary>The connection mark (CTA_MARK); 0 when none is set.</summary>
    public uint Mark { get; init; }

    /// <summary>The conntrack zone (CTA_ZONE); 0 is the default zone.</summary>
    public ushort Zone { get; init; }

    /// <summary>The kernel's id of the newest connection (CTA_ID); null when not known. Not unique for ever: the kernel uses ids again.</summary>
    public uint? ConntrackId { get; init; }

    /// <summary>True when a flowtable forwards it past the rules (IPS_OFFLOAD, IPS_HW_OFFLOAD); its counters may stand still.</summary>
    public bool Offloaded { get; init; }

    /// <summary>Where it goes, seen from the host.</summary>
    public FlowDirection Direction { get; init; }

    /// <summary>What of the key was folded at the flow limit.</summary>
    public FlowFolding Folding { get; init; }

    /// <summary>The process behind it; null when not known.</summary>
    public FlowProcess? Process { get; init; }

    /// <summary>The rules that its packets passed; empty when it was not traced.</summary>
    public IReadOnlyList<TraceStep> Trace { get; init; } = [];

    /// <summary>What the firewall did with its first packet.</summary>
    public FlowVerdict Verdict { get; init; }

    /// <summary>The rule or policy that decided; null when not known.</summary>
    public string? VerdictRule { get; init; }

    /// <summary>Protocol, source and destination on one line.</summary>
    public override string ToString() =>
        $"{Protocol} {Endpoint(SrcAddress, SrcPort)} -> {Endpoint(DstAddress, DstPort)}";

    private static string Endpoint(IPAddress address, ushort? port) =>
        port is null ? address.ToString() : new IPEndPoint(address, port.Value).ToString();
}
