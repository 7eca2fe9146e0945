using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Conntracker.Core.Addresses;
using Conntracker.Core.Native;
using Conntracker.Core.Netlink;
using static Conntracker.Core.Native.RouteConstants;

namespace Conntracker.Core.Hosts;

/// <summary>
/// Decodes the routes of a host (RTM_NEWROUTE of rtnetlink), but for those that the kernel derives from addresses to deliver to the host itself: it
/// derives them again where the addresses are.
/// </summary>
internal sealed class HostRouteDecoder
{
    /// <summary>The names of the types of routes that a description can hold.</summary>
    public static readonly IReadOnlyList<string> Types =
        ["unicast", "local", "broadcast", "anycast", "multicast", "blackhole", "unreachable", "prohibit", "throw"];

    private readonly IReadOnlyDictionary<int, string> _names;
    private readonly HostOmissions _omissions;

    /// <summary>Creates a decoder.</summary>
    /// <param name="names">The interfaces' names by their indexes.</param>
    /// <param name="omissions">Counts what a description cannot hold.</param>
    public HostRouteDecoder(IReadOnlyDictionary<int, string> names, HostOmissions omissions)
    {
        _names = names;
        _omissions = omissions;
    }

    /// <summary>Decodes one message.</summary>
    public DecodeResult Decode(in NetlinkMessage source, out FirewallRoute? found)
    {
        found = null;
        if (source.Type != RTM_NEWROUTE)
        {
            return DecodeResult.Ignored;
        }

        if (source.Payload.Length < Unsafe.SizeOf<rtmsg>())
        {
            return DecodeResult.Malformed;
        }

        rtmsg header = MemoryMarshal.Read<rtmsg>(source.Payload);
        FlowFamily family = HostText.FamilyOf(header.rtm_family);
        if (family == FlowFamily.None || (header.rtm_flags & RTM_F_CLONED) != 0)
        {
            return DecodeResult.Ignored;
        }

        if (header.rtm_dst_len > AddressBlock.BitsOf(family))
        {
            return DecodeResult.Malformed;
        }

        Hop hop = new() { IsOnLink = (header.rtm_flags & RTNH_F_ONLINK) != 0 };
        AddressBits destination = default;
        string? preferred = null;
        uint table = header.rtm_table;
        uint metric = 0;
        bool isMultipath = false;
        int size = AddressBlock.BitsOf(family) / 8;
        NetlinkAttributeReader attributes = new(source.Payload[Unsafe.SizeOf<rtmsg>()..]);
        while (attributes.Read())
        {
            switch (attributes.Type)
            {
                case RTA_DST when attributes.HasSize(size):
                    destination = AddressBits.Read(attributes.Value);
                    break;
                case RTA_PREFSRC when attributes.HasSize(size):
                    preferred = HostText.Address(family, AddressBits.Read(attributes.Value));
                    break;
                case RTA_TABLE:
                    table = attributes.ReadUInt32();
                    break;
                case RTA_PRIORITY:
                    metric = attributes.ReadUInt32();
                    break;
                case RTA_MULTIPATH:
                    isMultipath = ReadFirstHop(ref attributes, family, ref hop);
                    break;
                default:
                    hop.Read(ref attributes, family);
                    break;
            }
        }

        if (attributes.IsMalformed)
        {
            return DecodeResult.Malformed;
        }

        if (IsDerived(in header, table))
        {
            return DecodeResult.Ignored;
        }

        string? name = null;
        string? reason = TypeName(header.rtm_type) is not string type ? "their type is unknown"
            : header.rtm_src_len != 0 ? "they depend on the packet's source"
            : header.rtm_tos != 0 ? "they depend on the packet's DSCP"
            : hop.Index != 0 && !_names.TryGetValue(hop.Index, out name) ? "their interface is new or gone"
            : null;
        if (reason is not null)
        {
            _omissions.AddRoute(reason);
            return DecodeResult.Ignored;
        }

        if (isMultipath)
        {
            _omissions.AddMultipath();
        }

        found = new FirewallRoute
        {
            Destination = HostText.Prefix(family, destination, header.rtm_dst_len),
            Interface = name,
            Gateway = hop.Gateway,
            Source = preferred,
            Type = TypeName(header.rtm_type)!,
            Table = table,
            Metric = metric,
            Scope = header.rtm_scope,
            Protocol = header.rtm_protocol,
            IsOnLink = hop.IsOnLink,
        };
        return DecodeResult.Decoded;
    }

    private static bool IsDerived(in rtmsg header, uint table) => header.rtm_protocol == RTPROT_KERNEL
        && (table == RT_TABLE_LOCAL || header.rtm_type is RTN_LOCAL or RTN_BROADCAST or RTN_ANYCAST or RTN_MULTICAST);

    // The names are in the order of the numbers, from RTN_UNICAST on.
    private static string? TypeName(byte type) => type is >= RTN_UNICAST and <= RTN_THROW ? Types[type - RTN_UNICAST] : null;

    // True when there are more hops than one.
    private static bool ReadFirstHop(ref NetlinkAttributeReader attributes, FlowFamily family, ref Hop hop)
    {
        ReadOnlySpan<byte> hops = attributes.Value;
        rtnexthop first = hops.Length < Unsafe.SizeOf<rtnexthop>() ? default : MemoryMarshal.Read<rtnexthop>(hops);
        if (first.rtnh_len < Unsafe.SizeOf<rtnexthop>() || first.rtnh_len > hops.Length)
        {
            attributes.MarkMalformed();
            return false;
        }

        hop.Index = first.rtnh_ifindex;
        hop.IsOnLink |= (first.rtnh_flags & RTNH_F_ONLINK) != 0;
        NetlinkAttributeReader inner = new(hops[Unsafe.SizeOf<rtnexthop>()..first.rtnh_len]);
        while (inner.Read())
        {
            hop.Read(ref inner, family);
        }

        if (inner.IsMalformed)
        {
            attributes.MarkMalformed();
        }

        return hops.Length - NetlinkAlignment.Align(first.rtnh_len) >= Unsafe.SizeOf<rtnexthop>();
    }

    /// <summary>Where a route leads.</summary>
    private struct Hop
    {
        public int Index;
        public string? Gateway;
        public bool IsOnLink;

        /// <summary>Reads an attribute that stands in the route itself, or in a hop of a multipath route.</summary>
        public void Read(ref NetlinkAttributeReader attributes, FlowFamily family)
        {
            switch (attributes.Type)
            {
                case RTA_OIF:
                    Index = (int)attributes.ReadUInt32();
                    break;
                case RTA_GATEWAY when attributes.HasSize(AddressBlock.BitsOf(family) / 8):
                    Gateway = HostText.Address(family, AddressBits.Read(attributes.Value));
                    break;
                case RTA_VIA:
                    ReadVia(ref attributes);
                    break;
            }
        }

        // struct rtvia: the family, then an address of that family.
        private void ReadVia(ref NetlinkAttributeReader attributes)
        {
            ReadOnlySpan<byte> via = attributes.Value;
            FlowFamily family = via.Length < sizeof(ushort) ? FlowFamily.None : HostText.FamilyOf(MemoryMarshal.Read<ushort>(via));
            if (family == FlowFamily.None || via.Length != sizeof(ushort) + (AddressBlock.BitsOf(family) / 8))
            {
                attributes.MarkMalformed();
                return;
            }

            Gateway = HostText.Address(family, AddressBits.Read(via[sizeof(ushort)..]));
        }
    }
}
