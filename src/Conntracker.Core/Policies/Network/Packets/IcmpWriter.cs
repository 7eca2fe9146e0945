using System.Buffers.Binary;
using Conntracker.Core.Addresses;

namespace Conntracker.Core.Policies.Network.Packets;

/// <summary>Writes ICMP messages of both families, without the checksum. Each returns the length.</summary>
internal static class IcmpWriter
{
    private const int HeaderLength = 8;
    private const int EchoData = 16;

    /// <summary>Whether a message of ICMPv6 belongs to neighbour discovery (RFC 4861), which takes it with a hop limit of 255 only.</summary>
    public static bool IsNeighbourDiscovery(byte type) => type is >= 133 and <= 137;

    /// <summary>Whether a message of ICMPv6 belongs to multicast listener discovery (RFC 9777).</summary>
    public static bool IsListenerDiscovery(byte type) => type is 130 or 131 or 132 or 143;

    /// <summary>Writes a message with a plausible content.</summary>
    public static int Write(Span<byte> message, in ProbeTuple tuple)
    {
        message[..64].Clear();
        message[0] = tuple.IcmpType;
        message[1] = tuple.IcmpCode;
        return tuple.Family == FlowFamily.IPv4 ? WriteIPv4(message, tuple) : WriteIPv6(message, tuple);
    }

    /// <summary>Writes the packet that an error is about, or that a tunnel holds: a UDP datagram in the other direction.</summary>
    public static int WriteQuoted(Span<byte> packet, in ProbeTuple tuple, FlowFamily family)
    {
        // A tunnel of the other family has addresses for documentation inside.
        bool isSame = family == tuple.Family;
        (AddressBits source, AddressBits destination) = isSame ? (tuple.Destination, tuple.Source)
            : family == FlowFamily.IPv4 ? (new AddressBits(0, 0xc0000201), new AddressBits(0, 0xc0000202))
            : (new AddressBits(0x20010db800000000, 1), new AddressBits(0x20010db800000000, 2));
        ProbeTuple inner = new()
        {
            Family = family,
            Protocol = FlowProtocol.Udp,
            Source = source,
            Destination = destination,
            SourcePort = 33434,
            DestinationPort = 33434,
        };
        int header = IpHeaderWriter.LengthOf(family, hasAlert: false);
        int length = header + TransportWriter.WriteUdp(packet[header..], inner);
        IpHeaderWriter.Write(packet[..length], inner, 1, 64, hasAlert: false);
        return length;
    }

    private static int WriteIPv4(Span<byte> message, in ProbeTuple tuple)
    {
        const ushort LeastMtu = 1280;
        switch (tuple.IcmpType)
        {
            case 0 or 8:
                WriteQuery(message, tuple.IcmpId);
                return HeaderLength + EchoData;
            case 13 or 14:
                WriteQuery(message, tuple.IcmpId);
                return HeaderLength + 12;
            case 15 or 16 or 42 or 43:
                WriteQuery(message, tuple.IcmpId);
                return HeaderLength;
            case 17 or 18:
                WriteQuery(message, tuple.IcmpId);
                return HeaderLength + 4;
            case 9:
                // RFC 1256: one address of two words, for half an hour.
                message[4] = 1;
                message[5] = 2;
                BinaryPrimitives.WriteUInt16BigEndian(message[6..], 1800);
                tuple.Source.Write(FlowFamily.IPv4, message[8..]);
                return HeaderLength + 8;
            case 10:
                return HeaderLength;
            case 3 or 4 or 11 or 12:
                BinaryPrimitives.WriteUInt16BigEndian(message[6..], tuple is { IcmpType: 3, IcmpCode: 4 } ? LeastMtu : (ushort)0);
                return HeaderLength + WriteQuoted(message[HeaderLength..], tuple, FlowFamily.IPv4);
            case 5:
                tuple.Source.Write(FlowFamily.IPv4, message[4..]);
                return HeaderLength + WriteQuoted(message[HeaderLength..], tuple, FlowFamily.IPv4);
            default:
                return HeaderLength + 8;
        }
    }

    private static int WriteIPv6(Span<byte> message, in ProbeTuple tuple)
    {
        const uint LeastMtu = 1280;
        switch (tuple.IcmpType)
        {
            case 2:
                BinaryPrimitives.WriteUInt32BigEndian(message[4..], LeastMtu);
                return HeaderLength + WriteQuoted(message[HeaderLength..], tuple, FlowFamily.IPv6);
            case 1 or 3 or 4:
                return HeaderLength + WriteQuoted(message[HeaderLength..], tuple, FlowFamily.IPv6);
            case 128 or 129:
                WriteQuery(message, tuple.IcmpId);
                return HeaderLength + EchoData;
            case 130 or 131 or 132:
                GroupOf(tuple).Write(FlowFamily.IPv6, message[8..]);
                return HeaderLength + 16;
            case 143:
                // One record: the group is joined, without sources.
                message[7] = 1;
                message[8] = 4;
                GroupOf(tuple).Write(FlowFamily.IPv6, message[12..]);
                return HeaderLength + 20;
            case 133:
                return HeaderLength + WriteLinkAddress(message[8..], 1, tuple.Source);
            case 134:
                message[4] = 64;
                BinaryPrimitives.WriteUInt16BigEndian(message[6..], 1800);
                return HeaderLength + 8;
            case 135:
                TargetOf(tuple.Destination).Write(FlowFamily.IPv6, message[8..]);
                return HeaderLength + 16 + WriteLinkAddress(message[24..], 1, tuple.Source);
            case 136:
                // Solicited, override.
                message[4] = (byte)(IsMulticast(tuple.Destination) ? 0x20 : 0x60);
                tuple.Source.Write(FlowFamily.IPv6, message[8..]);
                return HeaderLength + 16 + WriteLinkAddress(message[24..], 2, tuple.Source);
            case 137:
                tuple.Source.Write(FlowFamily.IPv6, message[8..]);
                tuple.Destination.Write(FlowFamily.IPv6, message[24..]);
                return HeaderLength + 32;
            case 139 or 140:
                WriteQuery(message, 0);
                return HeaderLength + 8;
            default:
                return HeaderLength + 8;
        }
    }

    private static void WriteQuery(Span<byte> message, ushort id)
    {
        BinaryPrimitives.WriteUInt16BigEndian(message[4..], id);
        BinaryPrimitives.WriteUInt16BigEndian(message[6..], 1);
    }

    // RFC 4861, 4.6.1. Who has no address yet sends none.
    private static int WriteLinkAddress(Span<byte> option, byte type, AddressBits source)
    {
        if (source == default)
        {
            return 0;
        }

        ReadOnlySpan<byte> bytes = [type, 1, 0x02, 0x4b, 0, 0, 0, 1];
        bytes.CopyTo(option);
        return bytes.Length;
    }

    private static bool IsMulticast(AddressBits address) => address.High >> 56 == 0xff;

    private static AddressBits GroupOf(in ProbeTuple tuple) =>
        IsMulticast(tuple.Destination) ? tuple.Destination : new AddressBits(0xff02000000000000, 0xfb);

    // The solicited-node group (RFC 4291, 2.7.1) ends with the last three bytes of the requested address.
    private static AddressBits TargetOf(AddressBits destination) =>
        IsMulticast(destination) ? new AddressBits(0xfe80000000000000, destination.Low & 0xffffff) : destination;
}
