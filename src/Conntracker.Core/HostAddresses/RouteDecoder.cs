using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Conntracker.Core.Addresses;
using Conntracker.Core.Native;
using Conntracker.Core.Netlink;
using static Conntracker.Core.Native.RouteConstants;
using static Tmds.Linux.LibC;

namespace Conntracker.Core.HostAddresses;

/// <summary>
/// Decodes the routes that say which addresses are delivered to this host (RTM_NEWROUTE of rtnetlink, of the types local, anycast and
/// broadcast). All other routes are ignored.
/// </summary>
internal static class RouteDecoder
{
    /// <summary>Decodes one message.</summary>
    /// <param name="source">The message.</param>
    /// <param name="block">The addresses that the route is for.</param>
    /// <param name="isBroadcast">True for a broadcast route; otherwise the addresses are the host's own.</param>
    /// <returns>
    /// <see cref="DecodeResult.Ignored"/> also for a local route for all addresses: a transparent proxy has one in a table that a rule
    /// chooses by a mark, and it says nothing of any address.
    /// </returns>
    public static DecodeResult Decode(in NetlinkMessage source, out AddressBlock block, out bool isBroadcast)
    {
        block = default;
        isBroadcast = false;
        if (source.Type != RTM_NEWROUTE)
        {
            return DecodeResult.Ignored;
        }

        if (source.Payload.Length < Unsafe.SizeOf<rtmsg>())
        {
            return DecodeResult.Malformed;
        }

        // A clone is what the kernel remembers of a destination, not a route.
        rtmsg header = MemoryMarshal.Read<rtmsg>(source.Payload);
        if ((header.rtm_family != AF_INET && header.rtm_family != AF_INET6)
            || header.rtm_type is not (RTN_LOCAL or RTN_BROADCAST or RTN_ANYCAST)
            || (header.rtm_flags & RTM_F_CLONED) != 0
            || header.rtm_dst_len == 0)
        {
            return DecodeResult.Ignored;
        }

        FlowFamily family = header.rtm_family == AF_INET ? FlowFamily.IPv4 : FlowFamily.IPv6;
        AddressBits? found = null;
        NetlinkAttributeReader attributes = new(source.Payload[Unsafe.SizeOf<rtmsg>()..]);
        while (attributes.Read())
        {
            if (attributes.Type == RTA_DST && attributes.HasSize(AddressBlock.BitsOf(family) / 8))
            {
                found = AddressBits.Read(attributes.Value);
            }
        }

        if (attributes.IsMalformed || found is not AddressBits address || header.rtm_dst_len > AddressBlock.BitsOf(family))
        {
            return DecodeResult.Malformed;
        }

        block = new AddressBlock(family, address, header.rtm_dst_len);
        isBroadcast = header.rtm_type == RTN_BROADCAST;
        return DecodeResult.Decoded;
    }
}
