using Conntracker.Core.Native;
using Conntracker.Core.Netlink;
using Conntracker.Core.Packets;
using static Conntracker.Core.Native.NftablesConstants;

namespace Conntracker.Core.Tracing.Nftables;

/// <summary>Decodes NFT_MSG_TRACE (nft_trace_attributes of linux/netfilter/nf_tables.h). Unknown attributes are skipped.</summary>
internal static class NftTraceDecoder
{
    // NF_CT_STATE_BIT of linux/netfilter/nf_conntrack_common.h.
    private const uint Established = 1u << (ConntrackConstants.IP_CT_ESTABLISHED + 1);

    // LOOPBACK_IFINDEX of the kernel's net/flow.h.
    private const uint LoopbackDevice = 1;

    private const int Trace = (NFNL_SUBSYS_NFTABLES << 8) | NFT_MSG_TRACE;

    /// <summary>Decodes a message.</summary>
    /// <param name="message">A message of the groups NFNLGRP_NFTRACE and NFNLGRP_NFTABLES.</param>
    /// <param name="trace">The result; defined only when the message was decoded.</param>
    /// <param name="ignoresConnections">Skips the attributes of the packet's connection, which kernels before Linux 6.17 do not send.</param>
    public static DecodeResult Decode(scoped in NetlinkMessage message, out NftTraceMessage trace, bool ignoresConnections = false)
    {
        trace = default;
        if (message.Type != Trace)
        {
            return DecodeResult.Ignored;
        }

        if (!message.TryReadHeader(out nfgenmsg header, out NetlinkAttributeReader attributes))
        {
            return DecodeResult.Malformed;
        }

        trace.Family = header.nfgen_family;
        ReadOnlySpan<byte> network = default;
        ReadOnlySpan<byte> transport = default;
        bool hasType = false;
        bool isMalformed = false;
        bool isTemplate = false;
        int? policy = null;
        while (attributes.Read())
        {
            switch (attributes.Type)
            {
                case NFTA_TRACE_CT_ID or NFTA_TRACE_CT_DIRECTION or NFTA_TRACE_CT_STATE or NFTA_TRACE_CT_STATUS when ignoresConnections:
                    break;
                case NFTA_TRACE_TABLE:
                    trace.Table = Name(attributes.Value);
                    break;
                case NFTA_TRACE_CHAIN:
                    trace.Chain = Name(attributes.Value);
                    break;
                case NFTA_TRACE_RULE_HANDLE:
                    trace.Handle = attributes.ReadUInt64BigEndian();
                    break;
                case NFTA_TRACE_TYPE:
                    hasType = TryType(attributes.ReadUInt32BigEndian(), out trace.Type);
                    break;
                case NFTA_TRACE_VERDICT:
                    DecodeVerdict(attributes.Value, ref trace, ref isMalformed);
                    break;
                case NFTA_TRACE_POLICY:
                    policy = (int)attributes.ReadUInt32BigEndian();
                    break;
                case NFTA_TRACE_ID:
                    trace.Id = attributes.ReadUInt32BigEndian();
                    break;
                case NFTA_TRACE_LL_HEADER:
                    trace.EntersBaseChain = true;
                    break;
                case NFTA_TRACE_NETWORK_HEADER:
                    trace.EntersBaseChain = true;
                    network = attributes.Value;
                    break;
                case NFTA_TRACE_TRANSPORT_HEADER:
                    transport = attributes.Value;
                    break;
                case NFTA_TRACE_IIF:
                    trace.IsFromLoopback = attributes.ReadUInt32BigEndian() == LoopbackDevice;
                    break;
                case NFTA_TRACE_OIF:
                    trace.OutInterface = (int)attributes.ReadUInt32BigEndian();
                    break;
                case NFTA_TRACE_CT_ID:
                    trace.ConntrackId = attributes.ReadUInt32BigEndian();
                    break;
                case NFTA_TRACE_CT_DIRECTION:
                    trace.IsReply = attributes.ReadByte() != 0;
                    break;
                case NFTA_TRACE_CT_STATE:
                    trace.IsEstablished = (attributes.ReadUInt32BigEndian() & Established) != 0;
                    break;
                case NFTA_TRACE_CT_STATUS:
                    isTemplate = (attributes.ReadUInt32BigEndian() & ConntrackConstants.IPS_TEMPLATE) != 0;
                    break;
                default:
                    break;
            }
        }

        // A template, which a rule like "ct zone set 7" attaches before the conntrack hook, is not a connection, and many packets share it.
        trace.ConntrackId = isTemplate ? 0 : trace.ConntrackId;
        trace.Verdict = trace.Type == TraceStepType.Policy ? policy ?? trace.Verdict : trace.Verdict;
        trace.HasPacket = !network.IsEmpty && PacketDecoder.TryDecode(network, transport, out trace.Packet);
        bool isComplete = hasType && !trace.Table.IsEmpty && !trace.Chain.IsEmpty && !isMalformed && !attributes.IsMalformed;
        return isComplete ? DecodeResult.Decoded : DecodeResult.Malformed;
    }

    private static void DecodeVerdict(ReadOnlySpan<byte> verdict, ref NftTraceMessage trace, ref bool isMalformed)
    {
        NetlinkAttributeReader attributes = new(verdict);
        while (attributes.Read())
        {
            if (attributes.Type == NFTA_VERDICT_CODE)
            {
                trace.Verdict = (int)attributes.ReadUInt32BigEndian();
            }
            else if (attributes.Type == NFTA_VERDICT_CHAIN)
            {
                trace.JumpChain = Name(attributes.Value);
            }
        }

        isMalformed |= attributes.IsMalformed;
    }

    private static bool TryType(uint number, out TraceStepType type)
    {
        type = number switch
        {
            NFT_TRACETYPE_POLICY => TraceStepType.Policy,
            NFT_TRACETYPE_RETURN => TraceStepType.Return,
            _ => TraceStepType.Rule,
        };
        return number is NFT_TRACETYPE_POLICY or NFT_TRACETYPE_RETURN or NFT_TRACETYPE_RULE;
    }

    private static ReadOnlySpan<byte> Name(ReadOnlySpan<byte> value) => value.TrimEnd((byte)0);
}
