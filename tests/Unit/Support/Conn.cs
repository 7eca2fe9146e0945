using System.Net;
using Conntracker.Core.Flows;
using Conntracker.Core.Native;
using Conntracker.Core.Netlink;
using static Conntracker.Core.Native.ConntrackConstants;

namespace Conntracker.Tests.Unit;

/// <summary>A connection as the kernel would tell it. Makes its messages, laid out as ctnetlink lays them out.</summary>
internal sealed record Conn
{
    public const uint Replied = IPS_CONFIRMED | IPS_SEEN_REPLY;

    public FlowProtocol Protocol { get; init; } = FlowProtocol.Tcp;

    public string Src { get; init; } = "192.0.2.2";

    public ushort SrcPort { get; init; } = 40000;

    public string Dst { get; init; } = "198.51.100.2";

    public ushort DstPort { get; init; } = 443;

    public ushort Zone { get; init; }

    public uint Id { get; init; } = 1;

    public uint Status { get; init; } = IPS_CONFIRMED;

    public uint Mark { get; init; }

    public byte? State { get; init; }

    public FlowCounters? Counters { get; init; }

    public DateTime? Start { get; init; }

    public string? ReplySrc { get; init; }

    public ushort? ReplySrcPort { get; init; }

    public string? ReplyDst { get; init; }

    public ushort? ReplyDstPort { get; init; }

    public byte[] Message(FlowUpdateKind kind)
    {
        int type = kind == FlowUpdateKind.Destroy ? IPCTNL_MSG_CT_DELETE : IPCTNL_MSG_CT_NEW;
        int flags = kind switch
        {
            FlowUpdateKind.New => NetlinkConstants.NLM_F_CREATE | NetlinkConstants.NLM_F_EXCL,
            FlowUpdateKind.Dumped => NetlinkConstants.NLM_F_MULTI,
            _ => 0,
        };
        bool isV4 = IPAddress.Parse(Src).GetAddressBytes().Length == 4;
        NetlinkWriter writer = new(new byte[512]);
        writer.BeginMessage((NFNL_SUBSYS_CTNETLINK << 8) | type, flags, 0);
        writer.WriteStruct(new nfgenmsg { nfgen_family = (byte)(isV4 ? NftablesConstants.NFPROTO_IPV4 : NftablesConstants.NFPROTO_IPV6) });
        WriteTuple(ref writer, CTA_TUPLE_ORIG, Src, SrcPort, Dst, DstPort);
        WriteTuple(ref writer, CTA_TUPLE_REPLY, ReplySrc ?? Dst, ReplySrcPort ?? DstPort, ReplyDst ?? Src, ReplyDstPort ?? SrcPort);
        WriteRest(ref writer);
        writer.EndMessage();
        return writer.Written.ToArray();
    }

    public byte[] New() => Message(FlowUpdateKind.New);

    public byte[] Update() => Message(FlowUpdateKind.Update);

    public byte[] Destroy() => Message(FlowUpdateKind.Destroy);

    public byte[] Dumped() => Message(FlowUpdateKind.Dumped);

    public static FlowCounters Count(ulong packets, ulong bytes, ulong replyPackets = 0, ulong replyBytes = 0) =>
        new() { Packets = packets, Bytes = bytes, ReplyPackets = replyPackets, ReplyBytes = replyBytes };

    private void WriteRest(ref NetlinkWriter writer)
    {
        writer.WriteUInt32BigEndian(CTA_ID, Id);
        writer.WriteUInt32BigEndian(CTA_STATUS, Status);
        writer.WriteUInt32BigEndian(CTA_MARK, Mark);
        if (Zone != 0)
        {
            writer.WriteUInt16BigEndian(CTA_ZONE, Zone);
        }

        if (State is byte state)
        {
            int info = writer.BeginNested(CTA_PROTOINFO);
            int nested = writer.BeginNested(Protocol switch
            {
                FlowProtocol.Sctp => CTA_PROTOINFO_SCTP,
                FlowProtocol.Dccp => CTA_PROTOINFO_DCCP,
                _ => CTA_PROTOINFO_TCP,
            });
            writer.WriteByte(CTA_PROTOINFO_TCP_STATE, state);
            writer.EndNested(nested);
            writer.EndNested(info);
        }

        if (Counters is FlowCounters counters)
        {
            WriteCounters(ref writer, CTA_COUNTERS_ORIG, counters.Packets, counters.Bytes);
            WriteCounters(ref writer, CTA_COUNTERS_REPLY, counters.ReplyPackets, counters.ReplyBytes);
        }

        if (Start is DateTime start)
        {
            int times = writer.BeginNested(CTA_TIMESTAMP);
            writer.WriteUInt64BigEndian(CTA_TIMESTAMP_START, (ulong)(start - DateTime.UnixEpoch).Ticks * 100);
            writer.EndNested(times);
        }
    }

    private static void WriteCounters(ref NetlinkWriter writer, int type, ulong packets, ulong bytes)
    {
        int counters = writer.BeginNested(type);
        writer.WriteUInt64BigEndian(CTA_COUNTERS_PACKETS, packets);
        writer.WriteUInt64BigEndian(CTA_COUNTERS_BYTES, bytes);
        writer.EndNested(counters);
    }

    private void WriteTuple(ref NetlinkWriter writer, int type, string src, ushort srcPort, string dst, ushort dstPort)
    {
        byte[] from = IPAddress.Parse(src).GetAddressBytes();
        int tuple = writer.BeginNested(type);
        int ip = writer.BeginNested(CTA_TUPLE_IP);
        writer.WriteBytes(from.Length == 4 ? CTA_IP_V4_SRC : CTA_IP_V6_SRC, from);
        writer.WriteBytes(from.Length == 4 ? CTA_IP_V4_DST : CTA_IP_V6_DST, IPAddress.Parse(dst).GetAddressBytes());
        writer.EndNested(ip);
        int protocol = writer.BeginNested(CTA_TUPLE_PROTO);
        writer.WriteByte(CTA_PROTO_NUM, (byte)Protocol);
        if (Protocol == FlowProtocol.Icmp)
        {
            // SrcPort is the query's id; every query is an echo.
            writer.WriteUInt16BigEndian(CTA_PROTO_ICMP_ID, type == CTA_TUPLE_ORIG ? srcPort : dstPort);
            writer.WriteByte(CTA_PROTO_ICMP_TYPE, (byte)(type == CTA_TUPLE_ORIG ? 8 : 0));
            writer.WriteByte(CTA_PROTO_ICMP_CODE, 0);
        }
        else if (FlowKey.HasPorts(Protocol))
        {
            writer.WriteUInt16BigEndian(CTA_PROTO_SRC_PORT, srcPort);
            writer.WriteUInt16BigEndian(CTA_PROTO_DST_PORT, dstPort);
        }

        writer.EndNested(protocol);
        writer.EndNested(tuple);
    }
}
