using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Conntracker.Core.Native;
using Conntracker.Core.Netlink;
using Conntracker.Core.Packets;
using static Conntracker.Core.Native.NflogConstants;
using static Conntracker.Core.Native.NftablesConstants;

namespace Conntracker.Core.Tracing.Iptables;

/// <summary>Decodes NFLOG's messages of traced packets. Never throws, whatever the bytes are.</summary>
internal static class NflogDecoder
{
    /// <summary>Decodes one netlink message.</summary>
    /// <param name="source">The message.</param>
    /// <param name="line">Filled when the result is <see cref="DecodeResult.Decoded"/>; otherwise undefined.</param>
    /// <returns>
    /// Ignored for anything but a trace of iptables: other messages, other prefixes (connection tracking logs invalid packets to the same place),
    /// other families.
    /// </returns>
    public static DecodeResult Decode(in NetlinkMessage source, out IptablesTraceLine line)
    {
        line = default;
        if (source.Type != ((NFNL_SUBSYS_ULOG << 8) | NFULNL_MSG_PACKET))
        {
            return DecodeResult.Ignored;
        }

        if (!source.TryReadHeader(out nfgenmsg header, out NetlinkAttributeReader attributes))
        {
            return DecodeResult.Malformed;
        }

        // The family of the table, not hw_protocol, which is not always set yet for a packet of this host.
        line.Family = header.nfgen_family switch
        {
            NFPROTO_IPV4 => FlowFamily.IPv4,
            NFPROTO_IPV6 => FlowFamily.IPv6,
            _ => FlowFamily.None,
        };
        line.Hook = IptablesTraceLine.UnknownHook;
        bool isTrace = false;
        while (attributes.Read())
        {
            switch (attributes.Type)
            {
                case NFULA_PACKET_HDR:
                    line.Hook = attributes.HasSize(Unsafe.SizeOf<nfulnl_msg_packet_hdr>())
                        ? MemoryMarshal.Read<nfulnl_msg_packet_hdr>(attributes.Value).hook
                        : IptablesTraceLine.UnknownHook;
                    break;
                case NFULA_PREFIX:
                    isTrace = TracePrefix.TryRead(UntilZero(attributes.Value), ref line);
                    break;
                case NFULA_SEQ:
                    line.Sequence = attributes.ReadUInt32BigEndian();
                    break;
                case NFULA_PAYLOAD:
                    line.HasPacket = PacketDecoder.TryDecode(attributes.Value, out line.Packet);
                    break;
                default:
                    break;
            }
        }

        if (attributes.IsMalformed)
        {
            return DecodeResult.Malformed;
        }

        return isTrace && line.Family != FlowFamily.None ? DecodeResult.Decoded : DecodeResult.Ignored;
    }

    private static ReadOnlySpan<byte> UntilZero(ReadOnlySpan<byte> text)
    {
        int end = text.IndexOf((byte)0);
        return end < 0 ? text : text[..end];
    }
}
