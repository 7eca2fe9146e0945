using System.Buffers.Binary;
using Conntracker.Core.Addresses;
using Conntracker.Core.Flows;

namespace Conntracker.Core.Policies.Network.Packets;

/// <summary>Writes the answer to a packet as it left the host, after NAT; and the answer to the answer.</summary>
internal static class ProbeReplyWriter
{
    /// <summary>The size of a buffer that holds every answer.</summary>
    public const int MaximumLength = 640;

    // RFC 1812, 4.3.2.3: as much of the packet as fits.
    private const int MaximumQuoted = 512;

    /// <summary>
    /// Writes the next packet of the conversation, from the receiver of the last one: to TCP's SYN the SYN-ACK, to that the ACK, to other packets data;
    /// to SCTP's INIT the INIT ACK, then COOKIE ECHO and COOKIE ACK; to a DCCP Request the Response, to that the Ack; to an ICMP query its reply; to packets
    /// of other protocols one of the same content.
    /// </summary>
    /// <param name="buffer">Receives it; at least <see cref="MaximumLength"/> bytes.</param>
    /// <param name="emerged">The packet that is answered, from its IP header on.</param>
    /// <param name="number">The answer's number, as in <see cref="ProbePacketWriter.Write"/>.</param>
    /// <returns>The length; 0 when nobody answers: to broadcast and multicast, to ICMP errors and replies, to RST.</returns>
    public static int Write(Span<byte> buffer, ReadOnlySpan<byte> emerged, uint number)
    {
        if (!ProbeHeader.TryRead(emerged, out ProbeHeader header) || !CanAnswer(header.Tuple))
        {
            return 0;
        }

        ProbePacketWriter.CheckNumber(header.Tuple.Family, number);
        ProbeTuple tuple = header.Tuple.Swapped();
        int offset = IpHeaderWriter.LengthOf(tuple.Family, hasAlert: false);
        int length = WriteContent(buffer[offset..], ref tuple, emerged[header.Transport..header.End]);
        return length == 0 ? 0 : Finish(buffer, offset + length, tuple, number);
    }

    /// <summary>Writes the ICMP error that a packet's receiver sends when it has no use for it: port unreachable, quoting the packet.</summary>
    /// <param name="buffer">Receives it; at least <see cref="MaximumLength"/> bytes.</param>
    /// <param name="emerged">The packet that it is about, from its IP header on.</param>
    /// <param name="number">The error's number.</param>
    /// <returns>The length; 0 when there is no error about it.</returns>
    public static int WriteError(Span<byte> buffer, ReadOnlySpan<byte> emerged, uint number)
    {
        const int IcmpHeader = 8;
        if (!ProbeHeader.TryRead(emerged, out ProbeHeader header) || !CanAnswer(header.Tuple) || IsIcmpError(header.Tuple))
        {
            return 0;
        }

        ProbePacketWriter.CheckNumber(header.Tuple.Family, number);
        bool isIPv4 = header.Tuple.Family == FlowFamily.IPv4;
        ProbeTuple tuple = header.Tuple.Swapped() with
        {
            Protocol = isIPv4 ? FlowProtocol.Icmp : FlowProtocol.IcmpV6,
            IcmpType = isIPv4 ? (byte)3 : (byte)1,
            IcmpCode = isIPv4 ? (byte)3 : (byte)4,
        };
        int offset = IpHeaderWriter.LengthOf(tuple.Family, hasAlert: false);
        Span<byte> message = buffer[offset..];
        ReadOnlySpan<byte> quoted = emerged[..Math.Min(MaximumQuoted, header.End)];
        message[..IcmpHeader].Clear();
        message[0] = tuple.IcmpType;
        message[1] = tuple.IcmpCode;
        quoted.CopyTo(message[IcmpHeader..]);
        return Finish(buffer, offset + IcmpHeader + quoted.Length, tuple, number);
    }

    private static int Finish(Span<byte> buffer, int length, in ProbeTuple tuple, uint number)
    {
        IpHeaderWriter.Write(buffer[..length], tuple, number, ProbePacketWriter.HopsOf(tuple), hasAlert: false);
        return length;
    }

    private static bool CanAnswer(in ProbeTuple tuple) => tuple.Family == FlowFamily.IPv4
        ? IsUnicastIPv4((uint)tuple.Source.Low) && IsUnicastIPv4((uint)tuple.Destination.Low)
        : IsUnicastIPv6(tuple.Source) && IsUnicastIPv6(tuple.Destination);

    private static bool IsUnicastIPv4(uint address) => address is not 0 and < 0xe0000000;

    private static bool IsUnicastIPv6(AddressBits address) => address != default && address.High >> 56 != 0xff;

    private static bool IsIcmpError(in ProbeTuple tuple) => FlowKey.IsIcmp(tuple.Protocol) && Icmp.IsError(tuple.Protocol, tuple.IcmpType);

    private static int WriteContent(Span<byte> content, ref ProbeTuple tuple, ReadOnlySpan<byte> answered) => tuple.Protocol switch
    {
        FlowProtocol.Tcp => WriteTcp(content, tuple, answered),
        FlowProtocol.Sctp => WriteSctp(content, tuple, answered),
        FlowProtocol.Dccp => WriteDccp(content, tuple, answered),
        FlowProtocol.Icmp or FlowProtocol.IcmpV6 => WriteIcmp(content, ref tuple),
        FlowProtocol.Igmp => 0,
        _ => ProbePacketWriter.WriteStateless(content, tuple),
    };

    private static int WriteTcp(Span<byte> content, in ProbeTuple tuple, ReadOnlySpan<byte> answered)
    {
        const int LeastHeader = 20;
        if (answered.Length < LeastHeader || (answered[13] & TransportWriter.Rst) != 0)
        {
            return 0;
        }

        byte flags = answered[13];
        uint sequence = BinaryPrimitives.ReadUInt32BigEndian(answered[4..]);
        uint acknowledged = BinaryPrimitives.ReadUInt32BigEndian(answered[8..]);
        bool isSyn = (flags & TransportWriter.Syn) != 0;
        bool isAck = (flags & TransportWriter.Ack) != 0;
        if (isSyn && !isAck)
        {
            return TransportWriter.WriteTcp(content, tuple, TransportWriter.Syn | TransportWriter.Ack, ProbePacketWriter.ServerSequence, sequence + 1);
        }

        int data = Math.Max(0, answered.Length - ((answered[12] >> 4) * 4));
        uint next = sequence + (uint)data + (isSyn || (flags & TransportWriter.Fin) != 0 ? 1u : 0u);
        byte answer = isSyn ? TransportWriter.Ack : (byte)(TransportWriter.Psh | TransportWriter.Ack);
        return TransportWriter.WriteTcp(content, tuple, answer, isAck ? acknowledged : ProbePacketWriter.ServerSequence, next);
    }

    private static int WriteSctp(Span<byte> content, in ProbeTuple tuple, ReadOnlySpan<byte> answered)
    {
        const int ChunkAt = 12;
        const int InitLength = 20;
        if (answered.Length < ChunkAt + 4)
        {
            return 0;
        }

        byte type = answered[ChunkAt];
        bool isInit = type is SctpChunkWriter.Init or SctpChunkWriter.InitAck;
        if (isInit && answered.Length < ChunkAt + InitLength)
        {
            return 0;
        }

        byte answer;
        switch (type)
        {
            case SctpChunkWriter.Init:
                answer = SctpChunkWriter.InitAck;
                break;
            case SctpChunkWriter.InitAck:
                answer = SctpChunkWriter.CookieEcho;
                break;
            case SctpChunkWriter.CookieEcho:
                answer = SctpChunkWriter.CookieAck;
                break;
            case SctpChunkWriter.Data:
                answer = SctpChunkWriter.Sack;
                break;
            default:
                return 0;
        }

        // Until both know their tags they are in the chunk.
        uint tag = isInit ? BinaryPrimitives.ReadUInt32BigEndian(answered[(ChunkAt + 4)..])
            : BinaryPrimitives.ReadUInt32BigEndian(answered[4..]) == SctpChunkWriter.ServerTag ? SctpChunkWriter.ClientTag
            : SctpChunkWriter.ServerTag;
        int length = TransportWriter.WriteSctp(content, tuple, tag);
        return length + SctpChunkWriter.Write(content[length..], answer);
    }

    private static int WriteDccp(Span<byte> content, in ProbeTuple tuple, ReadOnlySpan<byte> answered)
    {
        const byte Request = 0;
        const byte Response = 1;
        const byte Ack = 3;
        const byte LastWithAnswer = 4;
        if (answered.Length < 16)
        {
            return 0;
        }

        byte type = (byte)((answered[8] >> 1) & 0xf);
        uint sequence = BinaryPrimitives.ReadUInt32BigEndian(answered[12..]);
        return type switch
        {
            Request => TransportWriter.WriteDccp(content, tuple, Response, 1, sequence),
            <= LastWithAnswer => TransportWriter.WriteDccp(content, tuple, Ack, 2, sequence),
            _ => 0,
        };
    }

    private static int WriteIcmp(Span<byte> content, ref ProbeTuple tuple)
    {
        byte? answer = (tuple.Protocol, tuple.IcmpType) switch
        {
            (FlowProtocol.Icmp, 8) => 0,
            (FlowProtocol.Icmp, 10) => 9,
            (FlowProtocol.Icmp, 13 or 15 or 17) => (byte)(tuple.IcmpType + 1),
            (FlowProtocol.Icmp, 42) => 43,
            (FlowProtocol.IcmpV6, 128 or 133 or 135 or 139) => (byte)(tuple.IcmpType + 1),
            _ => null,
        };
        if (answer is not byte type)
        {
            return 0;
        }

        tuple.IcmpType = type;
        tuple.IcmpCode = 0;
        return ProbePacketWriter.WriteStateless(content, tuple);
    }
}
