using Conntracker.Core.Native;
using Conntracker.Core.Netlink;
using static Conntracker.Core.Native.NftablesConstants;

namespace Conntracker.Core.Tracing.Nftables;

/// <summary>Decodes a named counter of nftables (nft_object_attributes and nft_counter_attributes of linux/netfilter/nf_tables.h).</summary>
internal static class NftCounterDecoder
{
    /// <summary>Decodes NFT_MSG_NEWOBJ.</summary>
    /// <param name="message">An answer to NFT_MSG_GETOBJ.</param>
    /// <param name="packets">What the counter has counted (NFTA_COUNTER_PACKETS).</param>
    /// <returns>False when it is another message, or one without that number.</returns>
    public static bool TryDecode(in NetlinkMessage message, out long packets)
    {
        packets = 0;
        if (message.Type != ((NFNL_SUBSYS_NFTABLES << 8) | NFT_MSG_NEWOBJ) || !message.TryReadHeader(out nfgenmsg _, out NetlinkAttributeReader attributes))
        {
            return false;
        }

        bool isFound = false;
        while (attributes.Read())
        {
            NetlinkAttributeReader data = new(attributes.Type == NFTA_OBJ_DATA ? attributes.Value : default);
            while (data.Read())
            {
                if (data.Type == NFTA_COUNTER_PACKETS && data.Value.Length == sizeof(ulong))
                {
                    packets = (long)Math.Min(data.ReadUInt64BigEndian(), long.MaxValue);
                    isFound = true;
                }
            }
        }

        return isFound;
    }
}
