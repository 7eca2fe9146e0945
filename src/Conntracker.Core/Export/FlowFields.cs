using System.Net;
using System.Text.Json.Serialization;

namespace Conntracker.Core.Export;

/// <summary>
/// A flow as JSON and CSV hold it: the properties of <see cref="Flow"/>, name by name, in its order. It can be filled piece by piece,
/// and what a file leaves out keeps its default, which the init-only properties of the public object do not allow a deserializer.
/// </summary>
internal sealed class FlowFields
{
    // Each means what the property of the same name in Flow says.
    [JsonRequired]
    public FlowProtocol Protocol { get; set; }

    [JsonRequired]
    public FlowFamily Family { get; set; }

    [JsonRequired]
    public IPAddress SrcAddress { get; set; } = IPAddress.None;

    public ushort? SrcPort { get; set; }

    [JsonRequired]
    public IPAddress DstAddress { get; set; } = IPAddress.None;

    public ushort? DstPort { get; set; }

    public byte? IcmpType { get; set; }

    public byte? IcmpCode { get; set; }

    public ushort? IcmpId { get; set; }

    public IPAddress? ReplySrcAddress { get; set; }

    public ushort? ReplySrcPort { get; set; }

    public IPAddress? ReplyDstAddress { get; set; }

    public ushort? ReplyDstPort { get; set; }

    public bool IsNat { get; set; }

    public FlowState State { get; set; }

    public TcpState? TcpState { get; set; }

    public SctpState? SctpState { get; set; }

    public DccpState? DccpState { get; set; }

    public bool Confirmed { get; set; }

    public DateTimeOffset? FirstSeen { get; set; }

    public DateTimeOffset? LastSeen { get; set; }

    public long Connections { get; set; } = 1;

    public ulong? Packets { get; set; }

    public ulong? Bytes { get; set; }

    public ulong? ReplyPackets { get; set; }

    public ulong? ReplyBytes { get; set; }

    public uint Mark { get; set; }

    public ushort Zone { get; set; }

    public uint? ConntrackId { get; set; }

    public bool Offloaded { get; set; }

    public FlowDirection Direction { get; set; }

    public FlowFolding Folding { get; set; }

    public FlowProcess? Process { get; set; }

    public IReadOnlyList<TraceStep> Trace { get; set; } = [];

    public FlowVerdict Verdict { get; set; }

    public string? VerdictRule { get; set; }

    /// <summary>Takes over a flow.</summary>
    public void Fill(Flow flow)
    {
        Protocol = flow.Protocol;
        Family = flow.Family;
        SrcAddress = flow.SrcAddress;
        SrcPort = flow.SrcPort;
        DstAddress = flow.DstAddress;
        DstPort = flow.DstPort;
        IcmpType = flow.IcmpType;
        IcmpCode = flow.IcmpCode;
        IcmpId = flow.IcmpId;
        ReplySrcAddress = flow.ReplySrcAddress;
        ReplySrcPort = flow.ReplySrcPort;
        ReplyDstAddress = flow.ReplyDstAddress;
        ReplyDstPort = flow.ReplyDstPort;
        IsNat = flow.IsNat;
        State = flow.State;
        TcpState = flow.TcpState;
        SctpState = flow.SctpState;
        DccpState = flow.DccpState;
        Confirmed = flow.Confirmed;
        FirstSeen = flow.FirstSeen;
        LastSeen = flow.LastSeen;
        Connections = flow.Connections;
        Packets = flow.Packets;
        Bytes = flow.Bytes;
        ReplyPackets = flow.ReplyPackets;
        ReplyBytes = flow.ReplyBytes;
        Mark = flow.Mark;
        Zone = flow.Zone;
        ConntrackId = flow.ConntrackId;
        Offloaded = flow.Offloaded;
        Direction = flow.Direction;
        Folding = flow.Folding;
        Process = flow.Process;
        Trace = flow.Trace;
        Verdict = flow.Verdict;
        VerdictRule = flow.VerdictRule;
    }

    /// <summary>What keeps the record from being a flow; null when nothing does.</summary>
    public string? Fault()
    {
        if (Family is not (FlowFamily.IPv4 or FlowFamily.IPv6))
        {
            return "Family is neither IPv4 nor IPv6.";
        }

        return Mismatch(nameof(SrcAddress), SrcAddress)
            ?? Mismatch(nameof(DstAddress), DstAddress)
            ?? Mismatch(nameof(ReplySrcAddress), ReplySrcAddress)
            ?? Mismatch(nameof(ReplyDstAddress), ReplyDstAddress)
            ?? (Trace.Any(step => step is null) ? "Trace has an element that is null." : null);
    }

    /// <summary>The flow; only for a record without <see cref="Fault"/>.</summary>
    public Flow ToFlow() => new()
    {
        Protocol = Protocol,
        Family = Family,
        SrcAddress = SrcAddress,
        SrcPort = SrcPort,
        DstAddress = DstAddress,
        DstPort = DstPort,
        IcmpType = IcmpType,
        IcmpCode = IcmpCode,
        IcmpId = IcmpId,
        ReplySrcAddress = ReplySrcAddress,
        ReplySrcPort = ReplySrcPort,
        ReplyDstAddress = ReplyDstAddress,
        ReplyDstPort = ReplyDstPort,
        IsNat = IsNat,
        State = State,
        TcpState = TcpState,
        SctpState = SctpState,
        DccpState = DccpState,
        Confirmed = Confirmed,
        FirstSeen = FirstSeen,
        LastSeen = LastSeen,
        Connections = Connections,
        Packets = Packets,
        Bytes = Bytes,
        ReplyPackets = ReplyPackets,
        ReplyBytes = ReplyBytes,
        Mark = Mark,
        Zone = Zone,
        ConntrackId = ConntrackId,
        Offloaded = Offloaded,
        Direction = Direction,
        Folding = Folding,
        Process = Process,
        Trace = Trace,
        Verdict = Verdict,
        VerdictRule = VerdictRule,
    };

    private string? Mismatch(string property, IPAddress? address) =>
        address is null || AddressText.Family(address) == Family ? null : $"{property} {address} is not an {Family} address, as Family says.";
}
