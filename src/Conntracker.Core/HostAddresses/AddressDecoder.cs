using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
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

        if (source.Payload.Length < Unsafe.SizeOf<ifaddrmsg>())
        {
            return DecodeResult.Malformed;
        }

        ifaddrmsg header = MemoryMarshal.Read<ifaddrmsg>(source.Payload);
        int size;
        if (header.ifa_family == AF_INET)
        {
            family = FlowFamily.IPv4;
            size = 4;
        }
        else if (header.ifa_family == AF_INET6)
        {
            family = FlowFamily.IPv6;
            size = 16;
        }
        else
        {
            return DecodeResult.Ignored;
        }

        // On a point-to-point link IFA_ADDRESS is the peer's address, and IFA_LOCAL ours.
        AddressBits? local = null;
        AddressBits? prefix = null;
        NetlinkAttributeReader attributes = new(source.Payload[Unsafe.SizeOf<ifaddrmsg>()..]);
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
