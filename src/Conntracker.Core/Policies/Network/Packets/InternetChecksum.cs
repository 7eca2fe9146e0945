using System.Buffers.Binary;

namespace Conntracker.Core.Policies.Network.Packets;

/// <summary>The checksum of IP, TCP, UDP, ICMP and others (RFC 1071).</summary>
internal static class InternetChecksum
{
    /// <summary>Adds bytes to a sum; an odd last byte is followed by a zero.</summary>
    public static uint Add(uint sum, ReadOnlySpan<byte> bytes)
    {
        for (; bytes.Length >= sizeof(ushort); bytes = bytes[sizeof(ushort)..])
        {
            sum += BinaryPrimitives.ReadUInt16BigEndian(bytes);
        }

        return bytes.IsEmpty ? sum : sum + ((uint)bytes[0] << 8);
    }

    /// <summary>The checksum of a sum.</summary>
    public static ushort Finish(uint sum)
    {
        sum = (sum & 0xffff) + (sum >> 16);
        sum += sum >> 16;
        return (ushort)~sum;
    }

    /// <summary>The sum of the pseudo-header of both families (RFC 9293, 3.1; RFC 8200, 8.1).</summary>
    /// <param name="addresses">Source and destination as in the IP header.</param>
    /// <param name="protocol">The protocol above IP.</param>
    /// <param name="length">The length of what follows the IP header.</param>
    public static uint PseudoHeader(ReadOnlySpan<byte> addresses, FlowProtocol protocol, int length) =>
        Add((uint)protocol + (uint)length, addresses);
}
