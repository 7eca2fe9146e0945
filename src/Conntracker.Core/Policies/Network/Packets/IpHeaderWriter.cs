using System.Buffers.Binary;

namespace Conntracker.Core.Policies.Network.Packets;

/// <summary>Writes the IP header of a packet whose content is there already, and the content's checksum.</summary>
internal static class IpHeaderWriter
{
    private const int IPv4Length = 20;
    private const int IPv6Length = 40;
    private const byte HopByHop = 0;

    /// <summary>The length of the header.</summary>
    /// <param name="family">The family.</param>
    /// <param name="hasAlert">Whether it has the router alert option (RFC 2113, RFC 2711).</param>
    public static int LengthOf(FlowFamily family, bool hasAlert) =>
        family == FlowFamily.IPv4 ? IPv4Length + (hasAlert ? 4 : 0) : IPv6Length + (hasAlert ? 8 : 0);

    /// <summary>Writes the header, and the checksum of what follows it.</summary>
    /// <param name="packet">The whole packet; its content is behind the header.</param>
    /// <param name="tuple">Addresses and protocol.</param>
    /// <param name="number">The identification (IPv4, 16 bits) or the flow label (IPv6, 20 bits), not 0.</param>
    /// <param name="hops">TTL or hop limit.</param>
    /// <param name="hasAlert">Whether it has the router alert option.</param>
    public static void Write(Span<byte> packet, in ProbeTuple tuple, uint number, byte hops, bool hasAlert)
    {
        int header = LengthOf(tuple.Family, hasAlert);
        if (tuple.Family == FlowFamily.IPv4)
        {
            WriteIPv4(packet, tuple, number, hops, hasAlert);
            TransportChecksum.Write(packet[header..], tuple.Protocol, packet[12..20]);
        }
        else
        {
            WriteIPv6(packet, tuple, number, hops, hasAlert);
            TransportChecksum.Write(packet[header..], tuple.Protocol, packet[8..40]);
        }
    }

    private static void WriteIPv4(Span<byte> packet, in ProbeTuple tuple, uint number, byte hops, bool hasAlert)
    {
        const ushort DoNotFragment = 0x4000;
        int length = LengthOf(FlowFamily.IPv4, hasAlert);
        packet[0] = (byte)(0x40 | (length / 4));
        packet[1] = 0;
        BinaryPrimitives.WriteUInt16BigEndian(packet[2..], (ushort)packet.Length);
        BinaryPrimitives.WriteUInt16BigEndian(packet[4..], (ushort)number);
        BinaryPrimitives.WriteUInt16BigEndian(packet[6..], DoNotFragment);
        packet[8] = hops;
        packet[9] = (byte)tuple.Protocol;
        BinaryPrimitives.WriteUInt16BigEndian(packet[10..], 0);
        tuple.Source.Write(FlowFamily.IPv4, packet[12..]);
        tuple.Destination.Write(FlowFamily.IPv4, packet[16..]);
        if (hasAlert)
        {
            BinaryPrimitives.WriteUInt32BigEndian(packet[IPv4Length..], 0x94040000);
        }

        BinaryPrimitives.WriteUInt16BigEndian(packet[10..], InternetChecksum.Finish(InternetChecksum.Add(0, packet[..length])));
    }

    private static void WriteIPv6(Span<byte> packet, in ProbeTuple tuple, uint number, byte hops, bool hasAlert)
    {
        BinaryPrimitives.WriteUInt32BigEndian(packet, 0x60000000 | (number & 0xfffff));
        BinaryPrimitives.WriteUInt16BigEndian(packet[4..], (ushort)(packet.Length - IPv6Length));
        packet[6] = hasAlert ? HopByHop : (byte)tuple.Protocol;
        packet[7] = hops;
        tuple.Source.Write(FlowFamily.IPv6, packet[8..]);
        tuple.Destination.Write(FlowFamily.IPv6, packet[24..]);
        if (hasAlert)
        {
            // The next header, no more than 8 bytes, router alert for MLD, two bytes of padding.
            ReadOnlySpan<byte> options = [(byte)tuple.Protocol, 0, 5, 2, 0, 0, 1, 0];
            options.CopyTo(packet[IPv6Length..]);
        }
    }
}
