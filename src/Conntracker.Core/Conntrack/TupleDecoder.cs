using Conntracker.Core.Addresses;
using Conntracker.Core.Flows;
using Conntracker.Core.Netlink;
using static Conntracker.Core.Native.ConntrackConstants;

namespace Conntracker.Core.Conntrack;

/// <summary>Decodes a tuple (CTA_TUPLE_ORIG, CTA_TUPLE_REPLY): addresses, protocol, ports, and a direction's own zone.</summary>
internal static class TupleDecoder
{
    /// <summary>Decodes the tuple in the parent's current attribute.</summary>
    /// <param name="parent">Positioned on the tuple; marked as malformed if the tuple is.</param>
    /// <param name="message">Its fields are updated; for the original tuple also protocol and zone.</param>
    /// <param name="endpoints">Receives addresses and ports.</param>
    /// <param name="isReply">True for CTA_TUPLE_REPLY.</param>
    public static void Decode(ref NetlinkAttributeReader parent, ref FlowUpdate message, ref FlowEndpoints endpoints, bool isReply)
    {
        endpoints = default;
        bool hasAddresses = false;
        FlowProtocol protocol = FlowProtocol.None;
        NetlinkAttributeReader tuple = new(parent.Value);
        while (tuple.Read())
        {
            switch (tuple.Type)
            {
                case CTA_TUPLE_IP:
                    hasAddresses = ReadAddresses(ref tuple, message.Key.Family, ref endpoints);
                    break;
                case CTA_TUPLE_PROTO:
                    protocol = ReadProtocol(ref tuple, ref endpoints);
                    break;
                case CTA_TUPLE_ZONE when !isReply && !message.Has(FlowUpdateFields.Zone):
                    message.Key.Zone = tuple.ReadUInt16BigEndian();
                    message.Fields |= FlowUpdateFields.Zone;
                    break;
                default:
                    break;
            }
        }

        if (tuple.IsMalformed || !hasAddresses)
        {
            parent.MarkMalformed();
        }

        message.Fields |= isReply ? FlowUpdateFields.Reply : FlowUpdateFields.Original;
        if (!isReply)
        {
            message.Key.Protocol = protocol;
        }
    }

    private static bool ReadAddresses(ref NetlinkAttributeReader parent, FlowFamily family, ref FlowEndpoints endpoints)
    {
        bool isV4 = family == FlowFamily.IPv4;
        int size = isV4 ? 4 : 16;
        bool hasSrc = false;
        bool hasDst = false;
        NetlinkAttributeReader addresses = new(parent.Value);
        while (addresses.Read())
        {
            switch (addresses.Type)
            {
                case CTA_IP_V4_SRC when isV4:
                case CTA_IP_V6_SRC when !isV4:
                    if (addresses.HasSize(size))
                    {
                        endpoints.Src = AddressBits.Read(addresses.Value);
                        hasSrc = true;
                    }

                    break;
                case CTA_IP_V4_DST when isV4:
                case CTA_IP_V6_DST when !isV4:
                    if (addresses.HasSize(size))
                    {
                        endpoints.Dst = AddressBits.Read(addresses.Value);
                        hasDst = true;
                    }

                    break;
                default:
                    break;
            }
        }

        if (addresses.IsMalformed)
        {
            parent.MarkMalformed();
        }

        return hasSrc && hasDst;
    }

    private static FlowProtocol ReadProtocol(ref NetlinkAttributeReader parent, ref FlowEndpoints endpoints)
    {
        FlowProtocol protocol = FlowProtocol.None;
        NetlinkAttributeReader values = new(parent.Value);
        while (values.Read())
        {
            switch (values.Type)
            {
                case CTA_PROTO_NUM:
                    protocol = (FlowProtocol)values.ReadByte();
                    break;
                case CTA_PROTO_SRC_PORT:
                case CTA_PROTO_ICMP_ID:
                case CTA_PROTO_ICMPV6_ID:
                    endpoints.SrcPort = values.ReadUInt16BigEndian();
                    break;
                case CTA_PROTO_DST_PORT:
                    endpoints.DstPort = values.ReadUInt16BigEndian();
                    break;
                case CTA_PROTO_ICMP_TYPE:
                case CTA_PROTO_ICMPV6_TYPE:
                    endpoints.IcmpType = values.ReadByte();
                    break;
                case CTA_PROTO_ICMP_CODE:
                case CTA_PROTO_ICMPV6_CODE:
                    endpoints.IcmpCode = values.ReadByte();
                    break;
                default:
                    break;
            }
        }

        if (values.IsMalformed)
        {
            parent.MarkMalformed();
        }

        return protocol;
    }
}
