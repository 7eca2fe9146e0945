using System.Buffers.Binary;
using Conntracker.Core.Addresses;
using Conntracker.Core.Flows;

namespace Conntracker.Core.Packets;

/// <summary>
/// Reads the tuple out of a packet's headers: IPv4 with options (RFC 791), IPv6 with extension headers (RFC 8200), the ports of TCP,
/// UDP, UDP-Lite, SCTP and DCCP, ICMP queries and errors (RFC 792, RFC 4443). Never throws, whatever the bytes are.
/// </summary>
internal static class PacketDecoder
{
    private const int IPv4HeaderLength = 20;
    private const int IPv6HeaderLength = 40;
    private const int PortsLength = 4;
    private const int IcmpHeaderLength = 8;
    private const int MaximumExtensions = 8;

    private const int HopByHop = 0;
    private const int Routing = 43;
    private const int Fragment = 44;
    private const int Authentication = 51;
    private const int DestinationOptions = 60;

    /// <summary>Reads a packet that begins with its IP header, which shows the family.</summary>
    /// <param name="packet">The packet, or its first bytes.</param>
    /// <param name="tuple">The result.</param>
    /// <returns>False when it is not an IP packet, is truncated before its ports, or is a fragment without them.</returns>
    public static bool TryDecode(ReadOnlySpan<byte> packet, out PacketTuple tuple) => Decode(packet, out tuple) == PacketResult.Decoded;

    /// <summary>Reads a packet that begins with its IP header, which shows the family.</summary>
    /// <param name="packet">The packet, or its first bytes.</param>
    /// <param name="tuple">The result.</param>
    public static PacketResult Decode(ReadOnlySpan<byte> packet, out PacketTuple tuple)
    {
        if (!TryDecodeNetwork(packet, out tuple, out int transport))
        {
            return packet.IsEmpty || packet[0] >> 4 is 4 or 6 ? PacketResult.Malformed : PacketResult.NotIp;
        }

        // Bytes behind the packet's own end are padding: no ports are read from them.
        int end = tuple.Length == 0 ? packet.Length : Math.Min(packet.Length, tuple.Length);
        return tuple.Fragment == PacketFragment.Later ? PacketResult.LaterFragment
            : transport <= end && TryDecodeTransport(packet[transport..end], ref tuple) ? PacketResult.Decoded
            : PacketResult.Malformed;
    }

    /// <summary>Reads a packet whose network and transport headers come separately, as nftables' trace sends them.</summary>
    /// <param name="network">The IP header, without extension headers.</param>
    /// <param name="transport">The transport header, or its first bytes.</param>
    /// <param name="tuple">The result.</param>
    public static bool TryDecode(ReadOnlySpan<byte> network, ReadOnlySpan<byte> transport, out PacketTuple tuple) =>
        TryDecodeNetwork(network, out tuple, out _) && tuple.Fragment != PacketFragment.Later && TryDecodeTransport(transport, ref tuple);

    // The transport header's offset is -1 for a later fragment.
    private static bool TryDecodeNetwork(ReadOnlySpan<byte> packet, out PacketTuple tuple, out int transport)
    {
        tuple = default;
        transport = -1;
        return !packet.IsEmpty && (packet[0] >> 4) switch
        {
            4 => TryDecodeIPv4(packet, ref tuple, out transport),
            6 => TryDecodeIPv6(packet, ref tuple, out transport),
            _ => false,
        };
    }

    private static bool TryDecodeIPv4(ReadOnlySpan<byte> packet, ref PacketTuple tuple, out int transport)
    {
        const int MoreFragments = 0x2000;
        const int FragmentOffsetMask = 0x1fff;
        transport = -1;
        int length = (packet[0] & 0xf) * 4;
        if (packet.Length < IPv4HeaderLength || length < IPv4HeaderLength)
        {
            return false;
        }

        tuple.Key.Family = FlowFamily.IPv4;
        tuple.Key.Protocol = (FlowProtocol)packet[9];
        tuple.Key.Original.Src = AddressBits.Read(packet[12..16]);
        tuple.Key.Original.Dst = AddressBits.Read(packet[16..20]);
        tuple.Length = BinaryPrimitives.ReadUInt16BigEndian(packet[2..]);
        tuple.FragmentId = BinaryPrimitives.ReadUInt16BigEndian(packet[4..]);
        int fragment = BinaryPrimitives.ReadUInt16BigEndian(packet[6..]);
        tuple.Fragment = (fragment & FragmentOffsetMask) != 0 ? PacketFragment.Later
            : (fragment & MoreFragments) != 0 ? PacketFragment.First
            : PacketFragment.None;
        tuple.Fingerprint = PacketFingerprint.Of(packet);
        transport = tuple.Fragment == PacketFragment.Later ? -1 : length;
        return true;
    }

    private static bool TryDecodeIPv6(ReadOnlySpan<byte> packet, ref PacketTuple tuple, out int transport)
    {
        transport = -1;
        if (packet.Length < IPv6HeaderLength)
        {
            return false;
        }

        tuple.Key.Family = FlowFamily.IPv6;
        tuple.Key.Original.Src = AddressBits.Read(packet[8..24]);
        tuple.Key.Original.Dst = AddressBits.Read(packet[24..40]);
        int payload = BinaryPrimitives.ReadUInt16BigEndian(packet[4..]);
        int next = packet[6];
        tuple.Fingerprint = PacketFingerprint.Of(packet);

        // No length, or more than the field can hold: a jumbogram has an extension header (RFC 2675); a packet that the interface has yet to segment
        // is TCP.
        bool isUntold = payload == 0 && ((FlowProtocol)next == FlowProtocol.Tcp || IsExtension(next));
        tuple.Length = isUntold ? 0 : IPv6HeaderLength + payload;
        int offset = IPv6HeaderLength;
        for (int i = 0; IsExtension(next); i++)
        {
            // The protocol is behind the truncated end, or behind more extension headers than any real packet has.
            if (i == MaximumExtensions || packet.Length < offset + 8)
            {
                return false;
            }

            ReadOnlySpan<byte> extension = packet[offset..];
            if (next == Fragment && DecodeFragment(extension, ref tuple))
            {
                tuple.Key.Protocol = (FlowProtocol)extension[0];
                return true;
            }

            offset += next switch
            {
                Fragment => 8,
                Authentication => (extension[1] + 2) * 4,
                _ => (extension[1] + 1) * 8,
            };
            next = extension[0];
        }

        tuple.Key.Protocol = (FlowProtocol)next;
        transport = offset;
        return true;
    }

    private static bool IsExtension(int header) => header is HopByHop or Routing or Fragment or Authentication or DestinationOptions;

    // True for a later fragment: what follows is in the middle of the packet.
    private static bool DecodeFragment(ReadOnlySpan<byte> extension, ref PacketTuple tuple)
    {
        const int MoreFragments = 1;
        const int Reserved = 7;
        int fragment = BinaryPrimitives.ReadUInt16BigEndian(extension[2..]);
        tuple.FragmentId = BinaryPrimitives.ReadUInt32BigEndian(extension[4..]);
        tuple.Fragment = (fragment & ~Reserved) != 0 ? PacketFragment.Later
            : (fragment & MoreFragments) != 0 ? PacketFragment.First
            : PacketFragment.None;
        return tuple.Fragment == PacketFragment.Later;
    }

    private static bool TryDecodeTransport(ReadOnlySpan<byte> header, ref PacketTuple tuple)
    {
        if (FlowKey.HasPorts(tuple.Key.Protocol))
        {
            if (header.Length < PortsLength)
            {
                return false;
            }

            tuple.Key.Original.SrcPort = BinaryPrimitives.ReadUInt16BigEndian(header);
            tuple.Key.Original.DstPort = BinaryPrimitives.ReadUInt16BigEndian(header[2..]);
            DecodeTransportFlags(header, ref tuple);
        }
        else if (FlowKey.IsIcmp(tuple.Key.Protocol))
        {
            if (header.Length < IcmpHeaderLength)
            {
                return false;
            }

            tuple.Key.Original.SrcPort = BinaryPrimitives.ReadUInt16BigEndian(header[4..]);
            tuple.Key.Original.DstPort = BinaryPrimitives.ReadUInt16BigEndian(header);
            tuple.IsIcmpError = Icmp.IsError(tuple.Key.Protocol, header[0]);
            if (tuple.IsIcmpError)
            {
                tuple.Key.Original.SrcPort = 0;
                tuple.CauseFingerprint = PacketFingerprint.Of(header[IcmpHeaderLength..]);
                DecodeCause(header[IcmpHeaderLength..], ref tuple);
            }
        }

        return true;
    }

    private static void DecodeTransportFlags(ReadOnlySpan<byte> header, ref PacketTuple tuple)
    {
        const int TcpFlags = 13;
        const int SctpChunk = 12;
        const int DccpType = 8;
        int offset = tuple.Key.Protocol switch
        {
            FlowProtocol.Tcp => TcpFlags,
            FlowProtocol.Sctp => SctpChunk,
            FlowProtocol.Dccp => DccpType,
            _ => int.MaxValue,
        };
        if (offset < header.Length)
        {
            tuple.HasTransportFlags = true;
            tuple.TransportFlags = offset == DccpType ? (byte)((header[DccpType] >> 1) & 0xf) : header[offset];
        }
    }

    // The packet that an error is about follows the error's header; it travelled against the error.
    private static void DecodeCause(ReadOnlySpan<byte> cause, ref PacketTuple tuple)
    {
        if (!TryDecodeNetwork(cause, out PacketTuple inner, out int transport) || transport < 0 || transport >= cause.Length)
        {
            return;
        }

        // No error is about an error (RFC 1122, 3.2.2): what claims to be is not followed.
        ReadOnlySpan<byte> header = cause[transport..];
        bool isError = FlowKey.IsIcmp(inner.Key.Protocol) && Icmp.IsError(inner.Key.Protocol, header[0]);
        if (!isError && inner.Key.Family == tuple.Key.Family && TryDecodeTransport(header, ref inner))
        {
            tuple.Key = FlowKey.Reverse(in inner.Key);
        }
    }
}
