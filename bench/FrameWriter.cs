using System.Buffers.Binary;

namespace Conntracker.Bench;

/// <summary>
/// Writes Ethernet frames as an interface would deliver them. IP checksums and lengths are right, those of TCP and UDP are left 0, as on an
/// interface that leaves them to the hardware. Clients are neighbours (10.0.0.0/8, fd00::/64), servers are all over the internet's addresses,
/// as on a real link: programs that print packets keep tables of addresses, and some of them degrade to lists when all are alike.
/// </summary>
internal static class FrameWriter
{
    public const int EthernetLength = 14;
    public const byte Icmp = 1;
    public const byte Tcp = 6;
    public const byte Udp = 17;
    public const byte Icmpv6 = 58;
    private const int Ipv4Length = 20;
    private const int Ipv6Length = 40;
    private const byte HopLimit = 64;

    /// <summary>Writes the headers up to IP.</summary>
    /// <param name="frame">Zeroes; room for the headers.</param>
    /// <param name="isIpv6">IPv6 instead of IPv4.</param>
    /// <param name="protocol">The protocol above IP.</param>
    /// <param name="client">The client's number, less than 2^24.</param>
    /// <param name="server">The server's number.</param>
    /// <param name="fromClient">The client sends it.</param>
    /// <param name="payload">Length of all that comes above IP, in bytes.</param>
    /// <returns>Where the header above IP begins.</returns>
    public static int WriteHeaders(Span<byte> frame, bool isIpv6, byte protocol, uint client, uint server, bool fromClient, int payload)
    {
        ReadOnlySpan<byte> inside = [0x02, 0, 0, 0, 0, 0x01];
        ReadOnlySpan<byte> outside = [0x02, 0, 0, 0, 0, 0x02];
        (fromClient ? outside : inside).CopyTo(frame);
        (fromClient ? inside : outside).CopyTo(frame[6..]);
        BinaryPrimitives.WriteUInt16BigEndian(frame[12..], (ushort)(isIpv6 ? 0x86dd : 0x0800));
        if (isIpv6)
        {
            WriteIpv6(frame[EthernetLength..], protocol, client, server, fromClient, payload);
            return EthernetLength + Ipv6Length;
        }

        WriteIpv4(frame[EthernetLength..], protocol, client, server, fromClient, payload);
        return EthernetLength + Ipv4Length;
    }

    /// <summary>Writes the ports of TCP and UDP.</summary>
    public static void WritePorts(Span<byte> header, ushort client, ushort server, bool fromClient)
    {
        BinaryPrimitives.WriteUInt16BigEndian(header, fromClient ? client : server);
        BinaryPrimitives.WriteUInt16BigEndian(header[2..], fromClient ? server : client);
    }

    private static void WriteIpv4(Span<byte> ip, byte protocol, uint client, uint server, bool fromClient, int payload)
    {
        uint clientAddress = 0x0a000000 | client;
        uint serverAddress = 0x14000000 + (Scatter(server) % 0x50000000);
        ip[0] = 0x45;
        BinaryPrimitives.WriteUInt16BigEndian(ip[2..], (ushort)(Ipv4Length + payload));
        ip[6] = 0x40;
        ip[8] = HopLimit;
        ip[9] = protocol;
        BinaryPrimitives.WriteUInt32BigEndian(ip[12..], fromClient ? clientAddress : serverAddress);
        BinaryPrimitives.WriteUInt32BigEndian(ip[16..], fromClient ? serverAddress : clientAddress);
        uint sum = 0;
        for (int i = 0; i < Ipv4Length; i += 2)
        {
            sum += BinaryPrimitives.ReadUInt16BigEndian(ip[i..]);
        }

        sum = (sum & 0xffff) + (sum >> 16);
        BinaryPrimitives.WriteUInt16BigEndian(ip[10..], (ushort)~(sum + (sum >> 16)));
    }

    private static void WriteIpv6(Span<byte> ip, byte protocol, uint client, uint server, bool fromClient, int payload)
    {
        ip[0] = 0x60;
        BinaryPrimitives.WriteUInt16BigEndian(ip[4..], (ushort)payload);
        ip[6] = protocol;
        ip[7] = HopLimit;
        Span<byte> clientAddress = ip[(fromClient ? 8 : 24)..];
        Span<byte> serverAddress = ip[(fromClient ? 24 : 8)..];
        clientAddress[0] = 0xfd;
        BinaryPrimitives.WriteUInt32BigEndian(clientAddress[12..], client);
        BinaryPrimitives.WriteUInt32BigEndian(serverAddress, 0x20000000 | (Scatter(server) >> 4));
        BinaryPrimitives.WriteUInt32BigEndian(serverAddress[12..], Scatter(server));
    }

    // To another number for each number (the multiplier is odd), far from those of its neighbours.
    private static uint Scatter(uint number) => (number * 2_654_435_761) ^ (number * 2_654_435_761 >> 15);
}
