using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Conntracker.Core.Addresses;
using Conntracker.Core.Native;
using Conntracker.Core.Netlink;
using static Conntracker.Core.Native.LinkConstants;
using static Conntracker.Core.Native.NetlinkConstants;
using static Conntracker.Core.Native.RouteConstants;
using static Tmds.Linux.LibC;

namespace Conntracker.Core.Policies.Network;

/// <summary>The messages of rtnetlink that build a host: devices, addresses, routes and routing rules.</summary>
internal static class NetworkMessages
{
    /// <summary>Enough for each of them.</summary>
    public const int MaximumLength = 512;

    private static readonly (string Name, int Type)[] s_routeTypes =
    [
        ("unicast", RTN_UNICAST), ("local", RTN_LOCAL), ("broadcast", RTN_BROADCAST), ("anycast", RTN_ANYCAST), ("multicast", RTN_MULTICAST),
        ("blackhole", RTN_BLACKHOLE), ("unreachable", RTN_UNREACHABLE), ("prohibit", RTN_PROHIBIT), ("throw", RTN_THROW), ("nat", RTN_NAT),
    ];

    private static readonly (string Name, int Action)[] s_ruleActions =
        [("lookup", FR_ACT_TO_TBL), ("blackhole", FR_ACT_BLACKHOLE), ("unreachable", FR_ACT_UNREACHABLE), ("prohibit", FR_ACT_PROHIBIT)];

    /// <summary>A new bridge.</summary>
    public static void WriteBridge(ref NetlinkWriter writer, string name, int index, byte[] linkAddress)
    {
        BeginLink(ref writer, index, NLM_F_CREATE | NLM_F_EXCL, 0, 0);
        writer.WriteString(IFLA_IFNAME, name);
        writer.WriteBytes(IFLA_ADDRESS, linkAddress);
        int info = writer.BeginNested(IFLA_LINKINFO);
        writer.WriteString(IFLA_INFO_KIND, "bridge");
        writer.EndNested(info);
        writer.EndMessage();
    }

    /// <summary>A new veth pair: the near end here, the far end with the same number in another namespace.</summary>
    public static void WritePair(ref NetlinkWriter writer, string name, int index, byte[] linkAddress, int farNamespace)
    {
        BeginLink(ref writer, index, NLM_F_CREATE | NLM_F_EXCL, 0, 0);
        writer.WriteString(IFLA_IFNAME, name);
        writer.WriteBytes(IFLA_ADDRESS, linkAddress);
        int info = writer.BeginNested(IFLA_LINKINFO);
        writer.WriteString(IFLA_INFO_KIND, "veth");
        int data = writer.BeginNested(IFLA_INFO_DATA);
        int peer = writer.BeginNested(VETH_INFO_PEER);
        writer.WriteStruct(new ifinfomsg { ifi_index = index });
        writer.WriteString(IFLA_IFNAME, string.Create(CultureInfo.InvariantCulture, $"far{index}"));
        writer.WriteUInt32(IFLA_NET_NS_FD, (uint)farNamespace);
        writer.EndNested(peer);
        writer.EndNested(data);
        writer.EndNested(info);
        writer.EndMessage();
    }

    /// <summary>The flags of a device.</summary>
    public static void WriteFlags(ref NetlinkWriter writer, int index, int flags, int change)
    {
        BeginLink(ref writer, index, 0, flags, change);
        writer.EndMessage();
    }

    /// <summary>One number of a device: IFLA_MTU, IFLA_GROUP, IFLA_MASTER.</summary>
    public static void WriteLinkNumber(ref NetlinkWriter writer, int index, int attribute, uint value)
    {
        BeginLink(ref writer, index, 0, 0, 0);
        writer.WriteUInt32(attribute, value);
        writer.EndMessage();
    }

    /// <summary>The link-layer address of a device.</summary>
    public static void WriteLinkAddress(ref NetlinkWriter writer, int index, byte[] address)
    {
        BeginLink(ref writer, index, 0, 0, 0);
        writer.WriteBytes(IFLA_ADDRESS, address);
        writer.EndMessage();
    }

    /// <summary>One more name of a device.</summary>
    public static void WriteAlternativeName(ref NetlinkWriter writer, int index, string name)
    {
        writer.BeginMessage(RTM_NEWLINKPROP, NLM_F_REQUEST | NLM_F_CREATE | NLM_F_EXCL | NLM_F_APPEND, 0);
        writer.WriteStruct(new ifinfomsg { ifi_index = index });
        int list = writer.BeginNested(IFLA_PROP_LIST);
        writer.WriteString(IFLA_ALT_IFNAME, name);
        writer.EndNested(list);
        writer.EndMessage();
    }

    /// <summary>An address, usable at once.</summary>
    /// <param name="writer">Receives the message.</param>
    /// <param name="index">The device.</param>
    /// <param name="address">The address.</param>
    /// <param name="other">The other end of a point-to-point link; null for none.</param>
    /// <param name="prefix">The prefix length: of the other end, where there is one.</param>
    /// <param name="hasPrefixRoute">Whether the kernel adds the route to the prefix.</param>
    public static void WriteAddress(ref NetlinkWriter writer, int index, IPAddress address, IPAddress? other, int prefix, bool hasPrefixRoute)
    {
        Span<byte> bytes = stackalloc byte[16];
        bool isLoopback = IPAddress.IsLoopback(address);
        writer.BeginMessage(RTM_NEWADDR, NLM_F_REQUEST | NLM_F_CREATE | NLM_F_EXCL, 0);
        writer.WriteStruct(new ifaddrmsg
        {
            ifa_family = FamilyOf(address),
            ifa_prefixlen = (byte)prefix,
            ifa_scope = (byte)(isLoopback ? RT_SCOPE_HOST : 0),
            ifa_index = (uint)index,
        });
        writer.WriteBytes(IFA_LOCAL, BytesOf(address, bytes));
        writer.WriteBytes(IFA_ADDRESS, BytesOf(other ?? address, bytes));
        writer.WriteUInt32(IFA_FLAGS, (uint)(IFA_F_NODAD | (hasPrefixRoute ? 0 : IFA_F_NOPREFIXROUTE)));
        writer.EndMessage();
    }

    /// <summary>A route.</summary>
    /// <param name="writer">Receives the message.</param>
    /// <param name="route">The route.</param>
    /// <param name="destination">Its destination.</param>
    /// <param name="index">Its device's number; 0 for none.</param>
    /// <param name="scope">Its scope.</param>
    /// <param name="isOnLink">Whether the gateway is reachable although no other route says so.</param>
    /// <returns>False when an address or the type of the route is none.</returns>
    public static bool TryWriteRoute(ref NetlinkWriter writer, FirewallRoute route, IPNetwork destination, int index, byte scope, bool isOnLink)
    {
        IPAddress? gateway = null;
        IPAddress? source = null;
        int type = Array.Find(s_routeTypes, each => each.Name == route.Type).Type;
        if (type == 0 || (route.Gateway is not null && !IPAddress.TryParse(route.Gateway, out gateway))
            || (route.Source is not null && !IPAddress.TryParse(route.Source, out source)))
        {
            return false;
        }

        Span<byte> bytes = stackalloc byte[18];
        writer.BeginMessage(RTM_NEWROUTE, NLM_F_REQUEST | NLM_F_CREATE | NLM_F_APPEND, 0);
        writer.WriteStruct(new rtmsg
        {
            rtm_family = FamilyOf(destination.BaseAddress),
            rtm_dst_len = (byte)destination.PrefixLength,
            rtm_table = (byte)(route.Table <= byte.MaxValue ? route.Table : 0),
            rtm_protocol = RTPROT_STATIC,
            rtm_scope = scope,
            rtm_type = (byte)type,
            rtm_flags = isOnLink ? RTNH_F_ONLINK : 0u,
        });
        writer.WriteUInt32(RTA_TABLE, route.Table);
        if (destination.PrefixLength != 0)
        {
            writer.WriteBytes(RTA_DST, BytesOf(destination.BaseAddress, bytes));
        }

        if (index != 0)
        {
            writer.WriteUInt32(RTA_OIF, (uint)index);
        }

        if (gateway is not null && gateway.AddressFamily == destination.BaseAddress.AddressFamily)
        {
            writer.WriteBytes(RTA_GATEWAY, BytesOf(gateway, bytes));
        }
        else if (gateway is not null)
        {
            // struct rtvia: the family, then the address.
            bytes[0] = FamilyOf(gateway);
            bytes[1] = 0;
            int length = BytesOf(gateway, bytes[2..]).Length;
            writer.WriteBytes(RTA_VIA, bytes[..(2 + length)]);
        }

        if (route.Metric != 0)
        {
            writer.WriteUInt32(RTA_PRIORITY, route.Metric);
        }

        if (source is not null)
        {
            writer.WriteBytes(RTA_PREFSRC, BytesOf(source, bytes));
        }

        writer.EndMessage();
        return true;
    }

    /// <summary>A routing rule.</summary>
    /// <returns>False when a prefix or the action of the rule is none.</returns>
    public static bool TryWriteRule(ref NetlinkWriter writer, FirewallRoutingRule rule)
    {
        IPNetwork source = default;
        IPNetwork destination = default;
        int action = Array.Find(s_ruleActions, each => each.Name == rule.Action).Action;
        if (action == 0 || (rule.Source is not null && !TryParsePrefix(rule.Source, out source))
            || (rule.Destination is not null && !TryParsePrefix(rule.Destination, out destination)))
        {
            return false;
        }

        Span<byte> bytes = stackalloc byte[16];
        writer.BeginMessage(RTM_NEWRULE, NLM_F_REQUEST | NLM_F_CREATE | NLM_F_EXCL, 0);
        writer.WriteStruct(new fib_rule_hdr
        {
            family = (byte)(rule.Family == FlowFamily.IPv6 ? AF_INET6 : AF_INET),
            src_len = (byte)source.PrefixLength,
            dst_len = (byte)destination.PrefixLength,
            table = (byte)(rule.Table <= byte.MaxValue ? rule.Table : 0),
            action = (byte)action,
            flags = rule.IsInverted ? FIB_RULE_INVERT : 0u,
        });
        writer.WriteUInt32(FRA_PRIORITY, rule.Priority);
        if (action == FR_ACT_TO_TBL)
        {
            writer.WriteUInt32(FRA_TABLE, rule.Table);
        }

        if (source.PrefixLength != 0)
        {
            writer.WriteBytes(FRA_SRC, BytesOf(source.BaseAddress, bytes));
        }

        if (destination.PrefixLength != 0)
        {
            writer.WriteBytes(FRA_DST, BytesOf(destination.BaseAddress, bytes));
        }

        if (rule.InInterface is not null)
        {
            writer.WriteString(FRA_IIFNAME, rule.InInterface);
        }

        if (rule.OutInterface is not null)
        {
            writer.WriteString(FRA_OIFNAME, rule.OutInterface);
        }

        if (rule.Mark is uint mark)
        {
            writer.WriteUInt32(FRA_FWMARK, mark);
            writer.WriteUInt32(FRA_FWMASK, rule.MarkMask);
        }

        if (rule.SuppressPrefixLength is int length)
        {
            writer.WriteUInt32(FRA_SUPPRESS_PREFIXLEN, (uint)length);
        }

        writer.EndMessage();
        return true;
    }

    /// <summary>Asks which route a packet to an address takes.</summary>
    public static void WriteQuestion(ref NetlinkWriter writer, IPAddress destination, uint mark)
    {
        Span<byte> bytes = stackalloc byte[16];
        ReadOnlySpan<byte> address = BytesOf(destination, bytes);
        writer.BeginMessage(RTM_GETROUTE, NLM_F_REQUEST, 0);
        writer.WriteStruct(new rtmsg { rtm_family = FamilyOf(destination), rtm_dst_len = (byte)(address.Length * 8) });
        writer.WriteBytes(RTA_DST, address);
        if (mark != 0)
        {
            writer.WriteUInt32(RTA_MARK, mark);
        }

        writer.EndMessage();
    }

    /// <summary>Reads an address with its prefix length; a single address has its whole length. Bits behind the prefix stay.</summary>
    public static bool TryParseAddress(string text, out IPAddress address, out int prefix)
    {
        int slash = text.IndexOf('/', StringComparison.Ordinal);
        prefix = 0;
        if (!IPAddress.TryParse(slash < 0 ? text : text.AsSpan(0, slash), out IPAddress? parsed))
        {
            address = IPAddress.None;
            return false;
        }

        address = parsed;
        int bits = parsed.AddressFamily == AddressFamily.InterNetwork ? 32 : 128;
        prefix = bits;
        return slash < 0 || (int.TryParse(text.AsSpan(slash + 1), NumberStyles.None, CultureInfo.InvariantCulture, out prefix) && prefix <= bits);
    }

    /// <summary>Reads a prefix; bits behind its length are ignored.</summary>
    public static bool TryParsePrefix(string text, out IPNetwork prefix)
    {
        prefix = default;
        if (!TryParseAddress(text, out IPAddress address, out int length))
        {
            return false;
        }

        FlowFamily family = address.AddressFamily == AddressFamily.InterNetwork ? FlowFamily.IPv4 : FlowFamily.IPv6;
        prefix = new IPNetwork(new AddressBlock(family, AddressBits.From(address), length).First.ToIPAddress(family), length);
        return true;
    }

    private static byte FamilyOf(IPAddress address) => (byte)(address.AddressFamily == AddressFamily.InterNetworkV6 ? AF_INET6 : AF_INET);

    private static Span<byte> BytesOf(IPAddress address, Span<byte> bytes)
    {
        address.TryWriteBytes(bytes, out int length);
        return bytes[..length];
    }

    private static void BeginLink(ref NetlinkWriter writer, int index, int flags, int linkFlags, int change)
    {
        writer.BeginMessage(RTM_NEWLINK, NLM_F_REQUEST | flags, 0);
        writer.WriteStruct(new ifinfomsg { ifi_index = index, ifi_flags = (uint)linkFlags, ifi_change = (uint)change });
    }
}
