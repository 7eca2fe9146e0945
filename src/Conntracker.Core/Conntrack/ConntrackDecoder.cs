using Conntracker.Core.Flows;
using Conntracker.Core.Native;
using Conntracker.Core.Netlink;
using static Conntracker.Core.Native.ConntrackConstants;
using static Conntracker.Core.Native.NftablesConstants;

namespace Conntracker.Core.Conntrack;

/// <summary>
/// Decodes the messages of the ctnetlink subsystem. Attributes that no flow needs (labels, helper, sequence adjustment, …) are
/// skipped. A message without a valid original tuple is malformed. The code fixes the nesting depth, so no message can exhaust the stack.
/// </summary>
internal static class ConntrackDecoder
{
    /// <summary>Decodes one netlink message.</summary>
    /// <param name="source">The message.</param>
    /// <param name="fromDump">True for an answer to a dump: it reports a state, not an event.</param>
    /// <param name="message">Filled if the result is <see cref="DecodeResult.Decoded"/>; otherwise its content is undefined.</param>
    public static DecodeResult Decode(in NetlinkMessage source, bool fromDump, ref FlowUpdate message)
    {
        if (source.Type >> 8 != NFNL_SUBSYS_CTNETLINK)
        {
            return DecodeResult.Ignored;
        }

        if (!source.TryReadHeader(out nfgenmsg header, out NetlinkAttributeReader attributes))
        {
            return DecodeResult.Malformed;
        }

        switch (source.Type & 0xff)
        {
            case IPCTNL_MSG_CT_NEW when fromDump:
                message.Kind = FlowUpdateKind.Dumped;
                break;
            case IPCTNL_MSG_CT_NEW:
                bool created = (source.Flags & NetlinkConstants.NLM_F_CREATE) != 0;
                message.Kind = created ? FlowUpdateKind.New : FlowUpdateKind.Update;
                break;
            case IPCTNL_MSG_CT_DELETE:
                message.Kind = FlowUpdateKind.Destroy;
                break;
            default:
                return DecodeResult.Ignored;
        }

        message.Fields = FlowUpdateFields.None;
        message.Key = default;
        message.Key.Family = header.nfgen_family switch
        {
            NFPROTO_IPV4 => FlowFamily.IPv4,
            NFPROTO_IPV6 => FlowFamily.IPv6,
            _ => FlowFamily.None,
        };
        if (message.Key.Family == FlowFamily.None)
        {
            return DecodeResult.Malformed;
        }

        ReadAttributes(ref attributes, ref message);
        return attributes.IsMalformed || !message.Has(FlowUpdateFields.Original) ? DecodeResult.Malformed : DecodeResult.Decoded;
    }

    private static void ReadAttributes(ref NetlinkAttributeReader attributes, ref FlowUpdate message)
    {
        while (attributes.Read())
        {
            switch (attributes.Type)
            {
                case CTA_TUPLE_ORIG:
                    TupleDecoder.Decode(ref attributes, ref message, ref message.Key.Original, isReply: false);
                    break;
                case CTA_TUPLE_REPLY:
                    TupleDecoder.Decode(ref attributes, ref message, ref message.Reply, isReply: true);
                    break;
                case CTA_STATUS:
                    message.Status = attributes.ReadUInt32BigEndian();
                    message.Fields |= FlowUpdateFields.Status;
                    break;
                case CTA_ID:
                    message.Id = attributes.ReadUInt32BigEndian();
                    message.Fields |= FlowUpdateFields.Id;
                    break;
                case CTA_MARK:
                    message.Mark = attributes.ReadUInt32BigEndian();
                    message.Fields |= FlowUpdateFields.Mark;
                    break;
                case CTA_ZONE:
                    message.Key.Zone = attributes.ReadUInt16BigEndian();
                    message.Fields |= FlowUpdateFields.Zone;
                    break;
                case CTA_PROTOINFO:
                    ReadProtocolInfo(ref attributes, ref message);
                    break;
                case CTA_COUNTERS_ORIG:
                    ReadCounters(ref attributes, ref message, ref message.Counters.Packets, ref message.Counters.Bytes);
                    break;
                case CTA_COUNTERS_REPLY:
                    ReadCounters(ref attributes, ref message, ref message.Counters.ReplyPackets, ref message.Counters.ReplyBytes);
                    break;
                case CTA_TIMESTAMP:
                    ReadTimestamp(ref attributes, ref message);
                    break;
                default:
                    break;
            }
        }
    }

    private static void ReadProtocolInfo(ref NetlinkAttributeReader parent, ref FlowUpdate message)
    {
        NetlinkAttributeReader protocols = new(parent.Value);
        while (protocols.Read())
        {
            // TCP, DCCP and SCTP each nest a state of one byte, all under type 1.
            if (protocols.Type is not (CTA_PROTOINFO_TCP or CTA_PROTOINFO_DCCP or CTA_PROTOINFO_SCTP))
            {
                continue;
            }

            NetlinkAttributeReader info = new(protocols.Value);
            while (info.Read())
            {
                if (info.Type == CTA_PROTOINFO_TCP_STATE)
                {
                    message.ProtocolState = info.ReadByte();
                    message.Fields |= FlowUpdateFields.ProtocolState;
                }
            }

            Inherit(ref protocols, in info);
        }

        Inherit(ref parent, in protocols);
    }

    private static void ReadCounters(ref NetlinkAttributeReader parent, ref FlowUpdate message, ref ulong packets, ref ulong bytes)
    {
        if (!message.Has(FlowUpdateFields.Counters))
        {
            message.Counters = default;
            message.Fields |= FlowUpdateFields.Counters;
        }

        NetlinkAttributeReader counters = new(parent.Value);
        while (counters.Read())
        {
            switch (counters.Type)
            {
                case CTA_COUNTERS_PACKETS:
                    packets = counters.ReadUInt64BigEndian();
                    break;
                case CTA_COUNTERS_BYTES:
                    bytes = counters.ReadUInt64BigEndian();
                    break;
                default:
                    break;
            }
        }

        Inherit(ref parent, in counters);
    }

    private static void ReadTimestamp(ref NetlinkAttributeReader parent, ref FlowUpdate message)
    {
        NetlinkAttributeReader timestamp = new(parent.Value);
        while (timestamp.Read())
        {
            if (timestamp.Type == CTA_TIMESTAMP_START)
            {
                message.StartTime = timestamp.ReadUInt64BigEndian();
                message.Fields |= FlowUpdateFields.StartTime;
            }
        }

        Inherit(ref parent, in timestamp);
    }

    private static void Inherit(ref NetlinkAttributeReader parent, in NetlinkAttributeReader child)
    {
        if (child.IsMalformed)
        {
            parent.MarkMalformed();
        }
    }
}
