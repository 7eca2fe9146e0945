using System.Buffers.Binary;

namespace Conntracker.Core.Packets;

/// <summary>
/// The fields of an IP header that neither routers nor NAT change, from its first ten bytes: length, identification and protocol for IPv4; flow
/// label, payload length and next header for IPv6. nftables' trace truncates an ICMP error after twelve bytes of the packet that caused it: before
/// its addresses, but after these fields.
/// </summary>
internal static class PacketFingerprint
{
    private const int NeededOfIPv4 = 10;
    private const int NeededOfIPv6 = 8;
    private const ulong SenderMask = 0xfffffUL << 24;

    /// <summary>The fingerprint of the packet with this header; 0 when the header is too short.</summary>
    public static ulong Of(ReadOnlySpan<byte> header) => header.IsEmpty ? 0 : (header[0] >> 4) switch
    {
        4 when header.Length >= NeededOfIPv4 =>
            Join(4, BinaryPrimitives.ReadUInt16BigEndian(header[4..]), BinaryPrimitives.ReadUInt16BigEndian(header[2..]), header[9]),
        6 when header.Length >= NeededOfIPv6 =>
            Join(6, BinaryPrimitives.ReadUInt32BigEndian(header), BinaryPrimitives.ReadUInt16BigEndian(header[4..]), header[6]),
        _ => 0,
    };

    /// <summary>Whether the sender has set a number (identification, flow label): without one many packets look the same.</summary>
    public static bool IsNumbered(ulong fingerprint) => (fingerprint & SenderMask) != 0;

    private static ulong Join(ulong version, uint number, ushort length, byte protocol) =>
        (version << 60) | (((ulong)number << 24) & SenderMask) | ((ulong)length << 8) | protocol;
}
