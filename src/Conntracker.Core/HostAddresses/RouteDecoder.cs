using Conntracker.Core.Addresses;
using Conntracker.Core.Native;
using Conntracker.Core.Netlink;
using static Conntracker.Core.Native.RouteConstants;
using static Tmds.Linux.LibC;

namespace Conntracker.Core.HostAddresses;

/// <summary>
/// Decodes the routes that deliver to this host (RTM_NEWROUTE of rtnetlink, of the types local, anycast and broadcast). All other routes are
/// ignored.
/// </summary>
internal static class RouteDecoder
{
    /// <summary>Decodes one message.</summary>
    /// <param name="source">The message.</param>
    /// <param name="block">The route's destination.</param>
    /// <param name="isBroadcast">True for a broadcast route; otherwise the addresses are the host's own.</param>
    /// <returns>
    /// <see cref="DecodeResult.Ignored"/> also for a local default route: a transparent proxy has one in a table that a rule selects by a mark, and
    /// it says nothing about any address.
    /// </returns>
    public static DecodeResult Decode(in NetlinkMessage source, out AddressBlock block, out bool isBroadcast)
    {
        block = default;
        isBroadcast = false;
        if (source.Type != RTM_NEWROUTE)
        {
            return DecodeResult.Ignored;
        }

        if (!source.TryReadHeader(out rtmsg header, out NetlinkAttributeReader attributes))
        {
            return DecodeResult.Malformed;
        }

        // A cloned route is a cache entry of the kernel for a destination.
        if ((header.rtm_family != AF_INET && header.rtm_family != AF_INET6)
            || header.rtm_type is not (RTN_LOCAL or RTN_BROADCAST or RTN_ANYCAST)
            || (header.rtm_flags & RTM_F_CLONED) != 0
            || header.rtm_dst_len == 0)
        {
            return DecodeResult.Ignored;
        }

        FlowFamily family = header.rtm_family == AF_INET ? FlowFamily.IPv4 : FlowFamily.IPv6;
        AddressBits? found = null;
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
