using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Conntracker.Core.Addresses;
using Conntracker.Core.Native;
using Conntracker.Core.Netlink;
using static Conntracker.Core.Native.NetlinkConstants;

namespace Conntracker.Core.Hosts;

/// <summary>An address of an interface (RTM_NEWADDR of rtnetlink).</summary>
/// <param name="Index">The interface's index.</param>
/// <param name="Address">The address with its prefix length; with a peer, the length of the whole address.</param>
/// <param name="Peer">The other end of a point-to-point address with the prefix length; empty when there is none.</param>
internal readonly record struct InterfaceAddress(int Index, string Address, string Peer)
{
    /// <summary>Decodes one message.</summary>
    public static DecodeResult Decode(in NetlinkMessage source, out InterfaceAddress found)
    {
        found = default;
        if (source.Type != RTM_NEWADDR)
        {
            return DecodeResult.Ignored;
        }

        if (source.Payload.Length < Unsafe.SizeOf<ifaddrmsg>())
        {
            return DecodeResult.Malformed;
        }

        ifaddrmsg header = MemoryMarshal.Read<ifaddrmsg>(source.Payload);
        FlowFamily family = HostText.FamilyOf(header.ifa_family);
        if (family == FlowFamily.None)
        {
            return DecodeResult.Ignored;
        }

        // IFA_ADDRESS is the peer's address where there is a peer, otherwise the same as IFA_LOCAL, which IPv6 then lacks.
        AddressBits? local = null;
        AddressBits? address = null;
        int bits = AddressBlock.BitsOf(family);
        NetlinkAttributeReader attributes = new(source.Payload[Unsafe.SizeOf<ifaddrmsg>()..]);
        while (attributes.Read())
        {
            if (attributes.Type is IFA_LOCAL or IFA_ADDRESS && attributes.HasSize(bits / 8))
            {
                AddressBits value = AddressBits.Read(attributes.Value);
                local = attributes.Type == IFA_LOCAL ? value : local;
                address = attributes.Type == IFA_ADDRESS ? value : address;
            }
        }

        if (attributes.IsMalformed || (local ?? address) is not AddressBits own || header.ifa_prefixlen > bits)
        {
            return DecodeResult.Malformed;
        }

        bool hasPeer = address is AddressBits other && other != own;
        found = new InterfaceAddress(
            (int)header.ifa_index,
            HostText.Prefix(family, own, hasPeer ? bits : header.ifa_prefixlen),
            hasPeer ? HostText.Prefix(family, address!.Value, header.ifa_prefixlen) : "");
        return DecodeResult.Decoded;
    }
}
