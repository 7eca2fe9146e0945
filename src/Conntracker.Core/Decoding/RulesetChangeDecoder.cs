using Conntracker.Core.Netlink;
using static Conntracker.Core.Native.NftablesConstants;

namespace Conntracker.Core.Decoding;

/// <summary>
/// Tells of a message of the group NFNLGRP_NFTABLES whether it changes what a rule's handle or position means: tables, chains and
/// rules that come or go. Elements of sets do not, and many hosts change them all the time.
/// </summary>
internal static class RulesetChangeDecoder
{
    /// <summary>Whether a table comes or goes by the change: the next one of its name may be another's.</summary>
    public static bool IsOfTable(in NetlinkMessage message) => (message.Type & 0xff) is NFT_MSG_NEWTABLE or NFT_MSG_DELTABLE;

    /// <summary>Whether the message is such a change, and of which table.</summary>
    /// <param name="message">The message.</param>
    /// <param name="family">The table's family: NFPROTO_*.</param>
    /// <param name="table">The table's name.</param>
    public static bool TryDecode(in NetlinkMessage message, out byte family, out ReadOnlySpan<byte> table)
    {
        const int HeadLength = 4;
        family = 0;
        table = default;
        if (message.Type >> 8 != NFNL_SUBSYS_NFTABLES || message.Payload.Length < HeadLength
            || (message.Type & 0xff) is not (NFT_MSG_NEWTABLE or NFT_MSG_DELTABLE or NFT_MSG_NEWCHAIN or NFT_MSG_DELCHAIN or NFT_MSG_NEWRULE or NFT_MSG_DELRULE))
        {
            return false;
        }

        family = message.Payload[0];
        NetlinkAttributeReader attributes = new(message.Payload[HeadLength..]);
        while (attributes.Read())
        {
            // NFTA_TABLE_NAME, NFTA_CHAIN_TABLE and NFTA_RULE_TABLE are one number.
            if (attributes.Type == NFTA_RULE_TABLE)
            {
                table = attributes.Value.TrimEnd((byte)0);
                return true;
            }
        }

        return true;
    }
}
