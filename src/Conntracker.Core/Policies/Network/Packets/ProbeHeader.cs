using System.Buffers.Binary;
using Conntracker.Core.Addresses;
using Conntracker.Core.Flows;

namespace Conntracker.Core.Policies.Network.Packets;

/// <summary>What identifies a packet of a test: its number, and its tuple as it is now, after NAT.</summary>
internal struct ProbeHeader
{
    private const int IPv4Length = 20;
    private const int IPv6Length = 40;
    private const int MaximumExtensions = 8;

    /// <summary>Addresses, protocol, ports, ICMP type.</summary>
    public ProbeTuple Tuple;

    /// <summary>The identification of IPv4, or the flow label of IPv6.</summary>
    public uint Number;

    /// <summary>Where the transport header begins.</summary>
    public int Transport;

    /// <summary>Where the packet ends by its header; at most the number of bytes that are there.</summary>
    public int End;

    /// <summary>Reads a packet from its IP header on. Never throws, whatever the bytes are.</summary>
    /// <returns>False when it is no IP packet, is truncated before its ports, or is a later fragment.</returns>
    public static bool TryRead(ReadOnlySpan<byte> ipPacket, out ProbeHeader header)
    {
        header = default;
        return !ipPacket.IsEmpty && (ipPacket[0] >> 4) switch
        {
            4 => TryReadIPv4(ipPacket, ref header) && TryReadTransport(ipPacket, ref header),
            6 => TryReadIPv6(ipPacket, ref header) && TryReadTransport(ipPacket, ref header),
            _ => false,
        };
    }

    private static bool TryReadIPv4(ReadOnlySpan<byte> packet, ref ProbeHeader header)
    {
        const int OffsetMask = 0x1fff;
        int length = (packet[0] & 0xf) * 4;
        if (packet.Length < length || length < IPv4Length || (BinaryPrimitives.ReadUInt16BigEndian(packet[6..]) & OffsetMask) != 0)
        {
            return false;
        }

        header.Tuple.Family = FlowFamily.IPv4;
        header.Tuple.Protocol = (FlowProtocol)packet[9];
        header.Tuple.Source = AddressBits.Read(packet[12..16]);
        header.Tuple.Destination = AddressBits.Read(packet[16..20]);
        header.Number = BinaryPrimitives.ReadUInt16BigEndian(packet[4..]);
        header.Transport = length;
        header.End = Math.Min(packet.Length, BinaryPrimitives.ReadUInt16BigEndian(packet[2..]));
        return header.End >= length;
    }

    private static bool TryReadIPv6(ReadOnlySpan<byte> packet, ref ProbeHeader header)
    {
        const int HopByHop = 0;
        const int Routing = 43;
        const int DestinationOptions = 60;
        if (packet.Length < IPv6Length)
        {
            return false;
        }

        header.Tuple.Family = FlowFamily.IPv6;
        header.Tuple.Source = AddressBits.Read(packet[8..24]);
        header.Tuple.Destination = AddressBits.Read(packet[24..40]);
        header.Number = BinaryPrimitives.ReadUInt32BigEndian(packet) & 0xfffff;
        header.End = Math.Min(packet.Length, IPv6Length + BinaryPrimitives.ReadUInt16BigEndian(packet[4..]));
        int next = packet[6];
        int offset = IPv6Length;
        for (int i = 0; next is HopByHop or Routing or DestinationOptions; i++)
        {
            if (i == MaximumExtensions || header.End < offset + 8)
            {
                return false;
            }

            next = packet[offset];
            offset += (packet[offset + 1] + 1) * 8;
        }

        header.Tuple.Protocol = (FlowProtocol)next;
        header.Transport = offset;
        return header.End >= offset;
    }

    private static bool TryReadTransport(ReadOnlySpan<byte> packet, ref ProbeHeader header)
    {
        ReadOnlySpan<byte> transport = packet[header.Transport..header.End];
        ref ProbeTuple tuple = ref header.Tuple;
        if (FlowKey.HasPorts(tuple.Protocol))
        {
            if (transport.Length < 4)
            {
                return false;
            }

            tuple.SourcePort = BinaryPrimitives.ReadUInt16BigEndian(transport);
            tuple.DestinationPort = BinaryPrimitives.ReadUInt16BigEndian(transport[2..]);
        }
        else if (FlowKey.IsIcmp(tuple.Protocol))
        {
            if (transport.Length < 8)
            {
                return false;
            }

            tuple.IcmpType = transport[0];
            tuple.IcmpCode = transport[1];
            tuple.IcmpId = IsQuery(tuple.Protocol, transport[0]) ? BinaryPrimitives.ReadUInt16BigEndian(transport[4..]) : (ushort)0;
        }

        return true;
    }

    private static bool IsQuery(FlowProtocol protocol, byte type) => protocol == FlowProtocol.Icmp
        ? type is 0 or 8 or (>= 13 and <= 18) or 42 or 43
        : type is 128 or 129;
}
