using System.Runtime.InteropServices;
using Conntracker.Core.Flows;
using Conntracker.Core.Native;
using Conntracker.Core.Netlink;
using static Conntracker.Core.Native.ConntrackConstants;

namespace Conntracker.Core.Policies.TrialProcess;

/// <summary>Deletes the connections that tested packets leave behind: the next one must be the first of its connection.</summary>
internal sealed class TrialConnections : IDisposable
{
    private readonly NetlinkSocket _socket = NetlinkSocket.Open(NetlinkConstants.NETLINK_NETFILTER, "connections of the trial");
    private readonly DatagramBatch _batch = new(capacity: 4, size: 8192);
    private uint _sequence;

    /// <summary>Deletes the connection that a packet began. Where its zone is another one, all connections go.</summary>
    /// <param name="key">The packet as it was sent.</param>
    public void Delete(in FlowKey key)
    {
        if (!TryDelete(in key))
        {
            Flush();
        }
    }

    /// <summary>Deletes all connections.</summary>
    public void Flush()
    {
        NetlinkWriter writer = new(stackalloc byte[64]);
        Begin(ref writer, family: 0);
        writer.EndMessage();
        _ = Request(writer.Written);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _socket.Dispose();
        _batch.Dispose();
    }

    private bool TryDelete(in FlowKey key)
    {
        NetlinkWriter writer = new(stackalloc byte[256]);
        Span<byte> address = stackalloc byte[16];
        bool isIPv6 = key.Family == FlowFamily.IPv6;
        Begin(ref writer, (byte)(isIPv6 ? NftablesConstants.NFPROTO_IPV6 : NftablesConstants.NFPROTO_IPV4));
        int tuple = writer.BeginNested(CTA_TUPLE_ORIG);
        int ip = writer.BeginNested(CTA_TUPLE_IP);
        writer.WriteBytes(isIPv6 ? CTA_IP_V6_SRC : CTA_IP_V4_SRC, address[..key.Original.Src.Write(key.Family, address)]);
        writer.WriteBytes(isIPv6 ? CTA_IP_V6_DST : CTA_IP_V4_DST, address[..key.Original.Dst.Write(key.Family, address)]);
        writer.EndNested(ip);
        int protocol = writer.BeginNested(CTA_TUPLE_PROTO);
        writer.WriteByte(CTA_PROTO_NUM, (byte)key.Protocol);
        if (FlowKey.HasPorts(key.Protocol))
        {
            writer.WriteUInt16BigEndian(CTA_PROTO_SRC_PORT, key.Original.SrcPort);
            writer.WriteUInt16BigEndian(CTA_PROTO_DST_PORT, key.Original.DstPort);
        }
        else if (FlowKey.IsIcmp(key.Protocol))
        {
            writer.WriteUInt16BigEndian(isIPv6 ? CTA_PROTO_ICMPV6_ID : CTA_PROTO_ICMP_ID, key.Original.SrcPort);
            writer.WriteByte(isIPv6 ? CTA_PROTO_ICMPV6_TYPE : CTA_PROTO_ICMP_TYPE, key.Original.IcmpType);
            writer.WriteByte(isIPv6 ? CTA_PROTO_ICMPV6_CODE : CTA_PROTO_ICMP_CODE, key.Original.IcmpCode);
        }

        writer.EndNested(protocol);
        writer.EndNested(tuple);
        writer.EndMessage();
        return Request(writer.Written);
    }

    private void Begin(ref NetlinkWriter writer, byte family)
    {
        writer.BeginMessage((NFNL_SUBSYS_CTNETLINK << 8) | IPCTNL_MSG_CT_DELETE, NetlinkConstants.NLM_F_REQUEST | NetlinkConstants.NLM_F_ACK, ++_sequence);
        writer.WriteStruct(new nfgenmsg { nfgen_family = family, version = NFNETLINK_V0 });
    }

    // The kernel answers before the call returns.
    private bool Request(ReadOnlySpan<byte> request)
    {
        _socket.Send(request);
        bool isDone = false;
        int received = _batch.Receive(_socket.Descriptor);
        for (int i = 0; i < received; i++)
        {
            NetlinkMessageReader messages = new(_batch[i]);
            while (messages.TryRead(out NetlinkMessage message))
            {
                isDone |= message.Type == NetlinkConstants.NLMSG_ERROR && message.Payload.Length >= sizeof(int)
                    && MemoryMarshal.Read<int>(message.Payload) == 0;
            }
        }

        return isDone;
    }
}
