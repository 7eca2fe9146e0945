using System.Buffers.Binary;
using Conntracker.Core.Policies.Network.Packets;
using Xunit;

namespace Conntracker.Tests.Unit.Policies.Network.Packets;

/// <summary>Checks checksums in another way than the engine writes them: the words add up to all ones; CRC32c bit by bit.</summary>
internal static class ProbeChecksums
{
    /// <summary>Fails the test unless the checksums of a packet are right.</summary>
    public static void Check(ReadOnlySpan<byte> packet, ProbeHeader header)
    {
        bool isIPv4 = header.Tuple.Family == FlowFamily.IPv4;
        if (isIPv4)
        {
            Assert.Equal(0xffff, Words(packet[..((packet[0] & 15) * 4)]));
        }

        ReadOnlySpan<byte> transport = packet[header.Transport..];
        ReadOnlySpan<byte> addresses = isIPv4 ? packet[12..20] : packet[8..40];
        switch (header.Tuple.Protocol)
        {
            case FlowProtocol.Sctp:
                Assert.Equal(Crc([.. transport[..8], 0, 0, 0, 0, .. transport[12..]]), BinaryPrimitives.ReadUInt32LittleEndian(transport[8..]));
                break;
            case FlowProtocol.Icmp or FlowProtocol.Igmp:
                Assert.Equal(0xffff, Words(transport));
                break;
            case FlowProtocol.Tcp or FlowProtocol.Udp or FlowProtocol.UdpLite or FlowProtocol.Dccp or FlowProtocol.IcmpV6:
                ReadOnlySpan<byte> length = [0, (byte)header.Tuple.Protocol, (byte)(transport.Length >> 8), (byte)transport.Length];
                Assert.Equal(0xffff, Words([.. addresses, .. length, .. transport]));
                break;
        }
    }

    private static int Words(ReadOnlySpan<byte> bytes)
    {
        int sum = 0;
        for (int i = 0; i < bytes.Length; i++)
        {
            sum += i % 2 == 0 ? bytes[i] << 8 : bytes[i];
            sum = (sum & 0xffff) + (sum >> 16);
        }

        return sum;
    }

    private static uint Crc(byte[] bytes)
    {
        uint crc = uint.MaxValue;
        foreach (byte each in bytes)
        {
            crc ^= each;
            for (int bit = 0; bit < 8; bit++)
            {
                crc = (crc & 1) != 0 ? (crc >> 1) ^ 0x82f63b78 : crc >> 1;
            }
        }

        return ~crc;
    }
}
