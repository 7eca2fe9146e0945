using Conntracker.Core.Addresses;
using Conntracker.Core.Native;
using Conntracker.Core.Netlink;
using static Conntracker.Core.Native.NetlinkConstants;
using static Tmds.Linux.LibC;

namespace Conntracker.Core.HostAddresses;

/// <summary>Decodes the addresses of the host's interfaces (RTM_NEWADDR of rtnetlink).</summary>
internal static class AddressDecoder
{
    /// <summary>Decodes one message.</summary>
    /// <param name="source">The message.</param>
    /// <param name="family">The address's family.</param>
    /// <param name="address">The interface's own address (IFA_LOCAL if present, otherwise IFA_ADDRESS).</param>
    /// <param name="broadcast">The broadcast address (IFA_BROADCAST), if present.</param>
    public static DecodeResult Decode(in NetlinkMessage source, out FlowFamily family, out AddressBits address, out AddressBits? broadcast)
    {
        family = FlowFamily.None;
        address = default;
        broadcast = null;
        if (source.Type != RTM_NEWADDR)
        {
            return DecodeResult.Ignored;
        }

        if (!source.TryReadHeader(out ifaddrmsg header, out NetlinkAttributeReader attributes))
        {
            return DecodeResult.Malformed;
        }

        if (header.ifa_family != AF_INET && header.ifa_family != AF_INET6)
        {
            return DecodeResult.Ignored;
        }

        family = header.ifa_family == AF_INET ? FlowFamily.IPv4 : FlowFamily.IPv6;
        int size = AddressBlock.BitsOf(family) / 8;

        // On a point-to-point link IFA_ADDRESS is the peer's address, and IFA_LOCAL ours.
        AddressBits? local = null;
        AddressBits? prefix = null;
        while (attributes.Read())
        {
            if (attributes.Type is IFA_LOCAL or IFA_ADDRESS or IFA_BROADCAST && attributes.HasSize(size))
            {
                AddressBits value = AddressBits.Read(attributes.Value);
                switch (attributes.Type)
                {
                    case IFA_LOCAL:
                        local = value;
                        break;
                    case IFA_ADDRESS:
                        prefix = value;
                        break;
                    default:
                        broadcast = value;
                        break;
                }
            }
        }

        if (attributes.IsMalformed || (local ?? prefix) is not AddressBits found)
        {
            return DecodeResult.Malformed;
        }

        address = found;
        return DecodeResult.Decoded;
    }
}
