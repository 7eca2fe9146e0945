using System.Buffers.Binary;
using System.Numerics;

namespace Conntracker.Core.Policies.Network.Packets;

/// <summary>Writes the checksum of what follows the IP header, for the protocols that have one.</summary>
internal static class TransportChecksum
{
    private const int SctpAt = 8;

    /// <summary>Writes it.</summary>
    /// <param name="transport">The transport header and what follows it.</param>
    /// <param name="protocol">The protocol.</param>
    /// <param name="addresses">Source and destination as in the IP header.</param>
    public static void Write(Span<byte> transport, FlowProtocol protocol, ReadOnlySpan<byte> addresses)
    {
        int at = protocol switch
        {
            FlowProtocol.Tcp => 16,
            FlowProtocol.Udp or FlowProtocol.UdpLite or FlowProtocol.Dccp => 6,
            FlowProtocol.Icmp or FlowProtocol.IcmpV6 or FlowProtocol.Igmp => 2,
            _ => -1,
        };
        if (protocol == FlowProtocol.Sctp)
        {
            // RFC 9260, appendix A: CRC32c, lowest byte first.
            BinaryPrimitives.WriteUInt32LittleEndian(transport[SctpAt..], 0);
            BinaryPrimitives.WriteUInt32LittleEndian(transport[SctpAt..], Crc32C(transport));
        }
        else if (at >= 0)
        {
            BinaryPrimitives.WriteUInt16BigEndian(transport[at..], 0);
            uint sum = protocol is FlowProtocol.Icmp or FlowProtocol.Igmp ? 0 : InternetChecksum.PseudoHeader(addresses, protocol, transport.Length);
            ushort checksum = InternetChecksum.Finish(InternetChecksum.Add(sum, transport));

            // To UDP, 0 means that there is none.
            bool isUdp = protocol is FlowProtocol.Udp or FlowProtocol.UdpLite;
            BinaryPrimitives.WriteUInt16BigEndian(transport[at..], checksum == 0 && isUdp ? ushort.MaxValue : checksum);
        }
    }

    private static uint Crc32C(ReadOnlySpan<byte> bytes)
    {
        uint crc = uint.MaxValue;
        foreach (byte each in bytes)
        {
            crc = BitOperations.Crc32C(crc, each);
        }

        return ~crc;
    }
}
