using System.Buffers.Binary;
using Conntracker.Core.Native;
using Conntracker.Core.Netlink;
using static Conntracker.Core.Native.ConntrackConstants;

namespace Conntracker.Tests.Shared;

/// <summary>
/// Makes connections in the kernel's table without a packet (IPCTNL_MSG_CT_NEW), as fast as the kernel can: each fires a NEW event.
/// Only ever in a network namespace of the test's own, which the calling thread is in.
/// </summary>
internal static class ConntrackLoad
{
    private const int MessagesPerSend = 64;
    private const int MessageRoom = 256;
    private const int TcpEstablished = 3;

    /// <summary>Makes TCP connections with tuples that are counted up: clients 10.0.0.0/8, one server, port 443.</summary>
    /// <param name="count">How many.</param>
    /// <param name="first">The first number.</param>
    /// <param name="timeout">How long the kernel is to keep each.</param>
    public static void Create(int count, int first, TimeSpan timeout)
    {
        using NetlinkSocket socket = NetlinkSocket.Open(NetlinkConstants.NETLINK_NETFILTER, "load");
        byte[] buffer = new byte[MessagesPerSend * MessageRoom];
        for (int done = 0; done < count;)
        {
            NetlinkWriter writer = new(buffer);
            int batch = Math.Min(MessagesPerSend, count - done);
            for (int i = 0; i < batch; i++)
            {
                WriteConnection(ref writer, (uint)(first + done + i), (uint)timeout.TotalSeconds);
            }

            socket.Send(writer.Written);
            done += batch;
        }
    }

    private static void WriteConnection(ref NetlinkWriter writer, uint number, uint timeout)
    {
        const int Flags = NetlinkConstants.NLM_F_REQUEST | NetlinkConstants.NLM_F_CREATE | NetlinkConstants.NLM_F_EXCL;
        writer.BeginMessage((NFNL_SUBSYS_CTNETLINK << 8) | IPCTNL_MSG_CT_NEW, Flags, number);
        writer.WriteStruct(new nfgenmsg { nfgen_family = NftablesConstants.NFPROTO_IPV4 });

        // 16 ports a client, so that clients and ports both differ.
        uint client = 0x0a000000 | (number >> 4);
        ushort port = (ushort)(32768 + (number & 15));
        const uint Server = 0xc0000201;
        WriteTuple(ref writer, CTA_TUPLE_ORIG, client, Server, port, 443);
        WriteTuple(ref writer, CTA_TUPLE_REPLY, Server, client, 443, port);
        writer.WriteUInt32BigEndian(CTA_STATUS, IPS_SEEN_REPLY | IPS_ASSURED | IPS_CONFIRMED);
        writer.WriteUInt32BigEndian(CTA_TIMEOUT, timeout);
        int info = writer.BeginNested(CTA_PROTOINFO);
        int tcp = writer.BeginNested(CTA_PROTOINFO_TCP);
        writer.WriteByte(CTA_PROTOINFO_TCP_STATE, TcpEstablished);
        writer.EndNested(tcp);
        writer.EndNested(info);
        writer.EndMessage();
    }

    private static void WriteTuple(ref NetlinkWriter writer, int type, uint src, uint dst, ushort srcPort, ushort dstPort)
    {
        const byte Tcp = 6;
        Span<byte> address = stackalloc byte[4];
        int tuple = writer.BeginNested(type);
        int ip = writer.BeginNested(CTA_TUPLE_IP);
        BinaryPrimitives.WriteUInt32BigEndian(address, src);
        writer.WriteBytes(CTA_IP_V4_SRC, address);
        BinaryPrimitives.WriteUInt32BigEndian(address, dst);
        writer.WriteBytes(CTA_IP_V4_DST, address);
        writer.EndNested(ip);
        int protocol = writer.BeginNested(CTA_TUPLE_PROTO);
        writer.WriteByte(CTA_PROTO_NUM, Tcp);
        writer.WriteUInt16BigEndian(CTA_PROTO_SRC_PORT, srcPort);
        writer.WriteUInt16BigEndian(CTA_PROTO_DST_PORT, dstPort);
        writer.EndNested(protocol);
        writer.EndNested(tuple);
    }
}
