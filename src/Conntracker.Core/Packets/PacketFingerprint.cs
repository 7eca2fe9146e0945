using System.Buffers.Binary;

namespace Conntracker.Core.Packets;

/// <summary>
/// The fields of an IP header that neither routers nor NAT change, in its first ten bytes: of IPv4 length, identification and protocol; of IPv6
/// flow label, payload length and next header. nftables' trace cuts an ICMP error behind twelve bytes of the packet that it is about: before its
/// addresses, but behind these.
/// </summary>
internal static class PacketFingerprint
{
    private const int NeededOfIPv4 = 10;
    private const int NeededOfIPv6 = 8;
    private const ulong SenderMask = 0xfffffUL << 24;

    /// <summary>The fingerprint of the packet with this header; 0 when too little of it is there.</summary>
    public static ulong Of(ReadOnlySpan<byte> header) => header.IsEmpty ? 0 : (header[0] >> 4) switch
    {
        4 when header.Length >= NeededOfIPv4 => Join(4, BinaryPrimitives.ReadUInt16BigEndian(header[4..]), BinaryPrimitives.ReadUInt16BigEndian(header[2..]), header[9]),
        6 when header.Length >= NeededOfIPv6 => Join(6, BinaryPrimitives.ReadUInt32BigEndian(header), BinaryPrimitives.ReadUInt16BigEndian(header[4..]), header[6]),
        _ => 0,
    };

    /// <summary>Whether the sender has given the packet a number (identification, flow label): without one many packets look the same.</summary>
    public static bool IsNumbered(ulong fingerprint) => (fingerprint & SenderMask) != 0;

    private static ulong Join(ulong version, uint number, ushort length, byte protocol) =>
        (version << 60) | (((ulong)number << 24) & SenderMask) | ((ulong)length << 8) | protocol;
}
