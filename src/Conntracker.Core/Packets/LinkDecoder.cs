using System.Buffers.Binary;
using static Conntracker.Core.Native.PcapConstants;

namespace Conntracker.Core.Packets;

/// <summary>
/// Finds the IP packet in a frame by its link type (libpcap's DLT_* numbers): Ethernet, Linux cooked headers, raw IP, the loopback of the BSDs;
/// behind them VLAN tags (IEEE 802.1Q, also stacked) and PPPoE (RFC 2516). Never throws, whatever the bytes are.
/// </summary>
internal static class LinkDecoder
{
    private const int EthernetType = 12;
    private const int CookedType = 14;
    private const int CookedLength = 16;
    private const int Cooked2Length = 20;
    private const int LoopbackLength = 4;
    private const int MaximumTags = 8;

    /// <summary>Whether frames of this link type can be read.</summary>
    public static bool IsKnown(int linkType) =>
        linkType is DLT_NULL or DLT_EN10MB or DLT_RAW or DLT_LOOP or DLT_LINUX_SLL or DLT_LINUX_SLL2 or DLT_IPV4 or DLT_IPV6;

    /// <summary>Finds where the IP packet begins.</summary>
    /// <param name="linkType">A DLT_* number.</param>
    /// <param name="frame">The frame, or its first bytes.</param>
    /// <param name="offset">Where the IP packet begins; it may be the end of the captured bytes.</param>
    /// <returns>
    /// <see cref="PacketResult.Decoded"/>, <see cref="PacketResult.NotIp"/>, or <see cref="PacketResult.Malformed"/> for a truncated header.
    /// </returns>
    public static PacketResult Find(int linkType, ReadOnlySpan<byte> frame, out int offset)
    {
        offset = 0;
        switch (linkType)
        {
            case DLT_EN10MB:
                return FindByType(frame, EthernetType, EthernetType + sizeof(ushort), out offset);
            case DLT_LINUX_SLL:
                return FindBehindCooked(frame, CookedType, CookedLength, out offset);
            case DLT_LINUX_SLL2:
                return FindBehindCooked(frame, 0, Cooked2Length, out offset);
            case DLT_NULL:
            case DLT_LOOP:
                offset = LoopbackLength;
                return frame.Length < LoopbackLength ? PacketResult.Malformed : OfLoopback(frame);
            case DLT_RAW:
            case DLT_IPV4:
            case DLT_IPV6:
                return PacketResult.Decoded;
            default:
                return PacketResult.NotIp;
        }
    }

    // The EtherType is at one offset, the header that it names at another; a VLAN tag is followed by both again.
    private static PacketResult FindByType(ReadOnlySpan<byte> frame, int typeAt, int next, out int offset)
    {
        offset = next;
        for (int tags = 0; tags <= MaximumTags; tags++)
        {
            if (frame.Length < Math.Max(offset, typeAt + sizeof(ushort)))
            {
                return PacketResult.Malformed;
            }

            switch (BinaryPrimitives.ReadUInt16BigEndian(frame[typeAt..]))
            {
                case ETH_P_IP:
                case ETH_P_IPV6:
                    return PacketResult.Decoded;
                case ETH_P_8021Q:
                case ETH_P_8021AD:
                case ETH_P_QINQ1:
                    typeAt = offset + sizeof(ushort);
                    offset = typeAt + sizeof(ushort);
                    break;
                case ETH_P_PPP_SES:
                    return FindInSession(frame, ref offset);
                default:
                    return PacketResult.NotIp;
            }
        }

        return PacketResult.NotIp;
    }

    // For a frame with two tags or more, Linux 6.10 and later put the innermost EtherType into the cooked header, although all tags but the outermost
    // still follow: the two bytes of each tag, and the EtherType of what comes next.
    private static PacketResult FindBehindCooked(ReadOnlySpan<byte> frame, int typeAt, int next, out int offset)
    {
        PacketResult result = FindByType(frame, typeAt, next, out offset);
        return result == PacketResult.Decoded && offset < frame.Length && !IsIp(frame[offset]) ? SkipInnerTags(frame, ref offset) : result;
    }

    private static PacketResult SkipInnerTags(ReadOnlySpan<byte> frame, ref int offset)
    {
        const int TagLength = 4;
        int at = offset;
        for (int tags = 0; tags <= MaximumTags; tags++)
        {
            if (frame.Length < at + TagLength)
            {
                return PacketResult.Malformed;
            }

            int type = BinaryPrimitives.ReadUInt16BigEndian(frame[(at + sizeof(ushort))..]);
            at += TagLength;
            if (type is ETH_P_IP or ETH_P_IPV6)
            {
                offset = at;
                break;
            }

            if (type is not (ETH_P_8021Q or ETH_P_8021AD or ETH_P_QINQ1))
            {
                // No tags: PacketDecoder finds what is wrong with the packet.
                break;
            }
        }

        return PacketResult.Decoded;
    }

    // The version, and for IPv4 a header length of at least 20 bytes.
    private static bool IsIp(byte first) => first >> 4 == 6 || first is >= 0x45 and <= 0x4f;

    private static PacketResult FindInSession(ReadOnlySpan<byte> frame, ref int offset)
    {
        const int SessionHeader = 6;
        const int PppIPv4 = 0x0021;
        const int PppIPv6 = 0x0057;
        int typeAt = offset + SessionHeader;
        offset = typeAt + sizeof(ushort);
        return frame.Length < offset ? PacketResult.Malformed
            : BinaryPrimitives.ReadUInt16BigEndian(frame[typeAt..]) is PppIPv4 or PppIPv6 ? PacketResult.Decoded
            : PacketResult.NotIp;
    }

    // The header is the number of the address family: in the byte order of the machine that captured (DLT_NULL), or in that of the network.
    private static PacketResult OfLoopback(ReadOnlySpan<byte> frame)
    {
        uint family = BinaryPrimitives.ReadUInt32BigEndian(frame);
        family = family > ushort.MaxValue ? BinaryPrimitives.ReverseEndianness(family) : family;

        // IPv4 is 2 everywhere; IPv6 is 10 on Linux, 24 on NetBSD and OpenBSD, 28 on FreeBSD, 30 on macOS.
        return family is 2 or 10 or 24 or 28 or 30 ? PacketResult.Decoded : PacketResult.NotIp;
    }
}
