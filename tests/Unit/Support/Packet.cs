using System.Buffers.Binary;
using System.Net;

namespace Conntracker.Tests.Unit;

/// <summary>Packets as they are on the wire, laid out by hand from the RFCs; checksums are zero.</summary>
internal static class Packet
{
    public static byte[] IPv4(FlowProtocol protocol, byte[] payload, string src = "192.0.2.2",
        string dst = "198.51.100.2", int id = 0x1234, int fragment = 0, int options = 0)
    {
        byte[] header = new byte[20 + options];
        header[0] = (byte)(0x40 | (header.Length / 4));
        BinaryPrimitives.WriteUInt16BigEndian(header.AsSpan(2), (ushort)(header.Length + payload.Length));
        BinaryPrimitives.WriteUInt16BigEndian(header.AsSpan(4), (ushort)id);
        BinaryPrimitives.WriteUInt16BigEndian(header.AsSpan(6), (ushort)fragment);
        header[8] = 64;
        header[9] = (byte)protocol;
        IPAddress.Parse(src).GetAddressBytes().CopyTo(header, 12);
        IPAddress.Parse(dst).GetAddressBytes().CopyTo(header, 16);
        return [.. header, .. payload];
    }

    /// <summary>An IPv6 packet; the extensions are those of <see cref="Extension"/> and its kin, in order.</summary>
    public static byte[] IPv6(FlowProtocol protocol, byte[] payload, string src = "2001:db8:1::2",
        string dst = "2001:db8:2::2", params (int Number, byte[] Header)[] extensions)
    {
        byte[] header = new byte[40];
        header[0] = 0x60;
        header[7] = 64;
        IPAddress.Parse(src).GetAddressBytes().CopyTo(header, 8);
        IPAddress.Parse(dst).GetAddressBytes().CopyTo(header, 24);
        List<byte> packet = [.. header];
        int next = 6;
        foreach ((int number, byte[] extension) in extensions)
        {
            packet[next] = (byte)number;
            next = packet.Count;
            packet.AddRange(extension);
        }

        packet[next] = (byte)protocol;
        packet.AddRange(payload);
        byte[] whole = [.. packet];
        BinaryPrimitives.WriteUInt16BigEndian(whole.AsSpan(4), (ushort)(whole.Length - header.Length));
        return whole;
    }

    /// <summary>Hop-by-hop (0), routing (43) or destination options (60), of a length in bytes.</summary>
    public static (int Number, byte[] Header) Extension(int number, int length) => (number, Sized(length, (length / 8) - 1));

    /// <summary>An authentication header (51), of a length in bytes.</summary>
    public static (int Number, byte[] Header) Authentication(int length) => (51, Sized(length, (length / 4) - 2));

    /// <summary>A fragment header (44): the offset in bytes, and whether more follow.</summary>
    public static (int Number, byte[] Header) Fragment(int offset, bool more, uint id = 0)
    {
        byte[] header = new byte[8];
        BinaryPrimitives.WriteUInt32BigEndian(header.AsSpan(4), id);
        BinaryPrimitives.WriteUInt16BigEndian(header.AsSpan(2), (ushort)(offset | (more ? 1 : 0)));
        return (44, header);
    }

    /// <summary>A transport header that begins with two ports.</summary>
    public static byte[] Ports(int src, int dst, int length = 8)
    {
        byte[] header = new byte[length];
        BinaryPrimitives.WriteUInt16BigEndian(header, (ushort)src);
        BinaryPrimitives.WriteUInt16BigEndian(header.AsSpan(2), (ushort)dst);
        return header;
    }

    /// <summary>A TCP header with flags as letters: F, S, R, P, A.</summary>
    public static byte[] Tcp(int src, int dst, string flags, int payload = 0)
    {
        byte[] header = Ports(src, dst, 20 + payload);
        header[12] = 0x50;
        header[13] = (byte)flags.Sum(each => 1 << "FSRPA".IndexOf(each, StringComparison.Ordinal));
        return header;
    }

    /// <summary>An SCTP header and its first chunk (RFC 9260).</summary>
    public static byte[] Sctp(int src, int dst, int chunk)
    {
        byte[] header = Ports(src, dst, 16);
        header[12] = (byte)chunk;
        header[15] = 4;
        return header;
    }

    /// <summary>A DCCP header of a type, with a sequence number of 48 bits (RFC 4340).</summary>
    public static byte[] Dccp(int src, int dst, int type)
    {
        byte[] header = Ports(src, dst, 24);
        header[4] = 6;
        header[8] = (byte)((type << 1) | 1);
        return header;
    }

    /// <summary>An ICMP message of either family: a query with its id, or an error with the packet it is about.</summary>
    public static byte[] Icmp(int type, int code, int id = 0, byte[]? rest = null) =>
        [(byte)type, (byte)code, 0, 0, (byte)(id >> 8), (byte)id, 0, 1, .. rest ?? []];

    private static byte[] Sized(int length, int told)
    {
        byte[] header = new byte[length];
        header[1] = (byte)told;
        return header;
    }
}
