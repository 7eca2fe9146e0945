using Conntracker.Core.Native;
using Conntracker.Core.Netlink;
using static Conntracker.Core.Native.NftablesConstants;

namespace Conntracker.Core.Tracing.Nftables;

/// <summary>
/// Reads changes that affect the meaning of a rule's handle or position from messages of the group NFNLGRP_NFTABLES: tables, chains and rules that
/// were created or deleted. Elements of sets do not affect it, and many hosts change them all the time.
/// </summary>
internal static class RulesetChangeDecoder
{
    /// <summary>Reads a message.</summary>
    /// <returns>False when it is not such a change.</returns>
    public static bool TryDecode(in NetlinkMessage message, out RulesetChange change)
    {
        change = default;
        int type = message.Type & 0xff;
        if (message.Type >> 8 != NFNL_SUBSYS_NFTABLES || KindOf(type) is not RulesetChangeKind kind
            || !message.TryReadHeader(out nfgenmsg header, out NetlinkAttributeReader attributes))
        {
            return false;
        }

        change.Kind = kind;
        change.Family = header.nfgen_family;
        while (kind != RulesetChangeKind.Committed && attributes.Read())
        {
            // NFTA_TABLE_NAME, NFTA_CHAIN_TABLE and NFTA_RULE_TABLE are the same number.
            switch ((type, attributes.Type))
            {
                case (_, NFTA_RULE_TABLE):
                    change.Table = attributes.Value.TrimEnd((byte)0);
                    break;
                case (NFT_MSG_NEWTABLE, NFTA_TABLE_HANDLE):
                case (NFT_MSG_NEWCHAIN, NFTA_CHAIN_HANDLE):
                    change.Handle = attributes.ReadUInt64BigEndian();
                    break;
                case (NFT_MSG_NEWCHAIN or NFT_MSG_DELCHAIN, NFTA_CHAIN_NAME):
                    change.Chain = attributes.Value.TrimEnd((byte)0);
                    break;
                case (NFT_MSG_NEWCHAIN, NFTA_CHAIN_HOOK):
                    change.IsBaseChain = true;
                    break;
                default:
                    break;
            }
        }

        return true;
    }

    private static RulesetChangeKind? KindOf(int type) => type switch
    {
        NFT_MSG_NEWTABLE => RulesetChangeKind.TableMade,
        NFT_MSG_DELTABLE => RulesetChangeKind.TableDeleted,
        NFT_MSG_NEWCHAIN => RulesetChangeKind.ChainMade,
        NFT_MSG_DELCHAIN => RulesetChangeKind.ChainDeleted,
        NFT_MSG_NEWRULE or NFT_MSG_DELRULE => RulesetChangeKind.Rule,
        NFT_MSG_NEWGEN => RulesetChangeKind.Committed,
        _ => null,
    };
}
