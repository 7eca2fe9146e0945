using System.Buffers.Binary;

namespace Conntracker.Core.Policies.Network.Packets;

/// <summary>Writes transport headers with their content, without the checksum. Each returns the length.</summary>
internal static class TransportWriter
{
    /// <summary>TCP's FIN.</summary>
    public const byte Fin = 1;

    /// <summary>TCP's SYN.</summary>
    public const byte Syn = 2;

    /// <summary>TCP's RST.</summary>
    public const byte Rst = 4;

    /// <summary>TCP's PSH.</summary>
    public const byte Psh = 8;

    /// <summary>TCP's ACK.</summary>
    public const byte Ack = 16;

    private const int DataLength = 8;
    private const int UdpHeader = 8;

    /// <summary>TCP (RFC 9293). With SYN comes the option MSS.</summary>
    public static int WriteTcp(Span<byte> header, in ProbeTuple tuple, byte flags, uint sequence, uint acknowledgement)
    {
        int length = (flags & Syn) != 0 ? 24 : 20;
        int data = (flags & Psh) != 0 ? DataLength : 0;
        header[..(length + data)].Clear();
        WritePorts(header, tuple);
        BinaryPrimitives.WriteUInt32BigEndian(header[4..], sequence);
        BinaryPrimitives.WriteUInt32BigEndian(header[8..], acknowledgement);
        header[12] = (byte)(length / 4 << 4);
        header[13] = flags;
        BinaryPrimitives.WriteUInt16BigEndian(header[14..], 64240);
        if ((flags & Syn) != 0)
        {
            header[20] = 2;
            header[21] = 4;
            BinaryPrimitives.WriteUInt16BigEndian(header[22..], (ushort)(tuple.Family == FlowFamily.IPv4 ? 1460 : 1440));
        }

        return length + data;
    }

    /// <summary>UDP (RFC 768), and UDP-Lite with everything covered by its checksum (RFC 3828).</summary>
    public static int WriteUdp(Span<byte> header, in ProbeTuple tuple)
    {
        const int Length = UdpHeader + DataLength;
        header[..Length].Clear();
        WritePorts(header, tuple);
        BinaryPrimitives.WriteUInt16BigEndian(header[4..], Length);
        return Length;
    }

    /// <summary>The beginning of an SCTP packet (RFC 9260): ports, verification tag, checksum.</summary>
    public static int WriteSctp(Span<byte> header, in ProbeTuple tuple, uint tag)
    {
        WritePorts(header, tuple);
        BinaryPrimitives.WriteUInt32BigEndian(header[4..], tag);
        BinaryPrimitives.WriteUInt32BigEndian(header[8..], 0);
        return 12;
    }

    /// <summary>A DCCP packet (RFC 4340) with long sequence numbers.</summary>
    /// <param name="header">Receives it.</param>
    /// <param name="tuple">The ports.</param>
    /// <param name="type">Its type: 0 Request, 1 Response, 3 Ack, 4 DataAck.</param>
    /// <param name="sequence">Its number.</param>
    /// <param name="acknowledgement">The number of the packet that it answers; not written in a Request.</param>
    public static int WriteDccp(Span<byte> header, in ProbeTuple tuple, byte type, uint sequence, uint acknowledgement)
    {
        const byte Request = 0;
        const byte Response = 1;
        const byte DataAck = 4;
        int length = type switch
        {
            Request => 20,
            Response => 28,
            _ => 24,
        };
        int data = type == DataAck ? DataLength : 0;
        header[..(length + data)].Clear();
        WritePorts(header, tuple);
        header[4] = (byte)(length / 4);
        header[8] = (byte)((type << 1) | 1);
        BinaryPrimitives.WriteUInt32BigEndian(header[12..], sequence);
        if (type != Request)
        {
            BinaryPrimitives.WriteUInt32BigEndian(header[20..], acknowledgement);
        }

        return length + data;
    }

    /// <summary>IGMP (RFC 9776): a query to all systems, a report of version 3 to its routers, a leave to all routers, else a report of version 2.</summary>
    public static int WriteIgmp(Span<byte> message, in ProbeTuple tuple)
    {
        const uint AllSystems = 0xe0000001;
        const uint AllRouters = 0xe0000002;
        const uint Version3Routers = 0xe0000016;
        const uint AnyGroup = 0xefffffff;
        message[..16].Clear();
        switch ((uint)tuple.Destination.Low)
        {
            case AllSystems:
                message[0] = 0x11;
                message[1] = 100;
                return 8;
            case Version3Routers:
                message[0] = 0x22;
                message[7] = 1;
                message[8] = 4;
                BinaryPrimitives.WriteUInt32BigEndian(message[12..], AnyGroup);
                return 16;
            case AllRouters:
                message[0] = 0x17;
                BinaryPrimitives.WriteUInt32BigEndian(message[4..], AnyGroup);
                return 8;
            default:
                message[0] = 0x16;
                tuple.Destination.Write(FlowFamily.IPv4, message[4..]);
                return 8;
        }
    }

    /// <summary>What follows the IP header of any other protocol.</summary>
    public static int WriteOther(Span<byte> content, in ProbeTuple tuple)
    {
        const byte InIPv4 = 4;
        const byte InIPv6 = 41;
        const byte NoNextHeader = 59;
        const uint Index = 0x1000;
        switch (tuple.Protocol)
        {
            case FlowProtocol.Gre:
                // RFC 2784: no flags, version 0, and the type of the packet inside.
                BinaryPrimitives.WriteUInt32BigEndian(content, tuple.Family == FlowFamily.IPv4 ? 0x0800u : 0x86ddu);
                return 4 + IcmpWriter.WriteQuoted(content[4..], tuple, tuple.Family);
            case FlowProtocol.Esp:
                // RFC 4303: index, number, and what is encrypted.
                content[..32].Clear();
                BinaryPrimitives.WriteUInt32BigEndian(content, Index);
                BinaryPrimitives.WriteUInt32BigEndian(content[4..], 1);
                return 32;
            case FlowProtocol.Ah:
                // RFC 4302: next header, length, index, number, 12 bytes of proof.
                content[..24].Clear();
                content[0] = NoNextHeader;
                content[1] = 4;
                BinaryPrimitives.WriteUInt32BigEndian(content[4..], Index);
                BinaryPrimitives.WriteUInt32BigEndian(content[8..], 1);
                return 24;
            case (FlowProtocol)InIPv4:
                return IcmpWriter.WriteQuoted(content, tuple, FlowFamily.IPv4);
            case (FlowProtocol)InIPv6:
                return IcmpWriter.WriteQuoted(content, tuple, FlowFamily.IPv6);
            default:
                // The first byte matters where IPv6 takes the number for that of an extension header.
                content[..16].Clear();
                content[0] = tuple.Family == FlowFamily.IPv6 ? NoNextHeader : (byte)0;
                return 16;
        }
    }

    private static void WritePorts(Span<byte> header, in ProbeTuple tuple)
    {
        BinaryPrimitives.WriteUInt16BigEndian(header, tuple.SourcePort);
        BinaryPrimitives.WriteUInt16BigEndian(header[2..], tuple.DestinationPort);
    }
}
