using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Conntracker.Core.Native;
using Conntracker.Core.Netlink;
using static Conntracker.Core.Native.LinkConstants;

namespace Conntracker.Core.Hosts;

/// <summary>Decodes the interfaces of a host (RTM_NEWLINK of rtnetlink).</summary>
internal static class InterfaceDecoder
{
    /// <summary>Decodes one message.</summary>
    /// <param name="source">The message.</param>
    /// <param name="found">The interface, without the name of its master and without addresses.</param>
    /// <param name="master">The index of the bridge, bond or VRF that it belongs to; 0 for none.</param>
    public static DecodeResult Decode(in NetlinkMessage source, out FirewallInterface? found, out int master)
    {
        found = null;
        master = 0;
        if (source.Type != RTM_NEWLINK)
        {
            return DecodeResult.Ignored;
        }

        if (source.Payload.Length < Unsafe.SizeOf<ifinfomsg>())
        {
            return DecodeResult.Malformed;
        }

        ifinfomsg header = MemoryMarshal.Read<ifinfomsg>(source.Payload);
        string? name = null;
        string? kind = header.ifi_type == ARPHRD_LOOPBACK ? "loopback" : null;
        string? address = null;
        string[] alternatives = [];
        uint mtu = 0;
        uint group = 0;
        NetlinkAttributeReader attributes = new(source.Payload[Unsafe.SizeOf<ifinfomsg>()..]);
        while (attributes.Read())
        {
            switch (attributes.Type)
            {
                case IFLA_IFNAME:
                    name = attributes.ReadText();
                    break;
                case IFLA_ADDRESS:
                    address = attributes.Value.IsEmpty ? null : Convert.ToHexStringLower(attributes.Value);
                    break;
                case IFLA_MTU:
                    mtu = attributes.ReadUInt32();
                    break;
                case IFLA_MASTER:
                    master = (int)attributes.ReadUInt32();
                    break;
                case IFLA_GROUP:
                    group = attributes.ReadUInt32();
                    break;
                case IFLA_LINKINFO:
                    kind = First(ref attributes, IFLA_INFO_KIND) ?? kind;
                    break;
                case IFLA_PROP_LIST:
                    alternatives = [.. All(ref attributes, IFLA_ALT_IFNAME)];
                    break;
            }
        }

        if (attributes.IsMalformed || string.IsNullOrEmpty(name) || header.ifi_index <= 0)
        {
            return DecodeResult.Malformed;
        }

        found = new FirewallInterface
        {
            Name = name,
            Index = header.ifi_index,
            Kind = kind,
            LinkType = header.ifi_type,
            Group = group,
            Mtu = mtu,
            IsUp = (header.ifi_flags & IFF_UP) != 0,
            LinkAddress = address is null ? null : string.Join(':', address.Chunk(2).Select(pair => new string(pair))),
            AlternativeNames = alternatives,
        };
        return DecodeResult.Decoded;
    }

    private static string? First(ref NetlinkAttributeReader outer, int type) => All(ref outer, type).FirstOrDefault();

    private static List<string> All(ref NetlinkAttributeReader outer, int type)
    {
        List<string> texts = [];
        NetlinkAttributeReader inner = new(outer.Value);
        while (inner.Read())
        {
            if (inner.Type == type)
            {
                texts.Add(inner.ReadText());
            }
        }

        if (inner.IsMalformed)
        {
            outer.MarkMalformed();
        }

        return texts;
    }
}
