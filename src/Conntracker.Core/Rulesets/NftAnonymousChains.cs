using System.Text;
using Conntracker.Core.Netlink;
using static Conntracker.Core.Native.NftablesConstants;

namespace Conntracker.Core.Rulesets;

/// <summary>Collects the anonymous chains from dumps of the rules and, after them, of the tables.</summary>
internal sealed class NftAnonymousChains
{
    private const int HeaderLength = 4;

    private readonly Dictionary<(byte Family, string Table, string Chain), List<ulong>> _rules = [];
    private readonly Dictionary<(byte Family, string Table, string Chain), ulong> _holders = [];
    private readonly Dictionary<(byte Family, string Table), ulong> _tables = [];

    // What the kernel calls each chain that has no name of the user's.
    private static ReadOnlySpan<byte> Prefix => "__chain"u8;

    /// <summary>Handles NFT_MSG_NEWRULE or NFT_MSG_NEWTABLE; any other message is skipped.</summary>
    public void Take(in NetlinkMessage message)
    {
        if (message.Type >> 8 != NFNL_SUBSYS_NFTABLES || message.Payload.Length < HeaderLength)
        {
            return;
        }

        switch (message.Type & 0xff)
        {
            // Most rules have nothing to do with such a chain.
            case NFT_MSG_NEWRULE when message.Payload.IndexOf(Prefix) >= 0:
                AddRule(message.Payload[0], message.Payload[HeaderLength..]);
                break;
            case NFT_MSG_NEWTABLE:
                AddTable(message.Payload[0], message.Payload[HeaderLength..]);
                break;
            default:
                break;
        }
    }

    /// <summary>The chains whose holder and table are known. A chain with a user's name that begins like theirs may be among them.</summary>
    public IEnumerable<NftAnonymousChain> Chains()
    {
        foreach (((byte family, string table, string chain), ulong holder) in _holders)
        {
            // A name with a space would look like two words of the line.
            if (_rules.TryGetValue((family, table, chain), out List<ulong>? handles) && _tables.TryGetValue((family, table), out ulong tableHandle)
                && !table.Any(char.IsWhiteSpace))
            {
                yield return new NftAnonymousChain(NftFamily.NameOf(family), table, tableHandle, holder, chain, handles);
            }
        }
    }

    private void AddTable(byte family, ReadOnlySpan<byte> payload)
    {
        string? name = null;
        ulong handle = 0;
        NetlinkAttributeReader attributes = new(payload);
        while (attributes.Read())
        {
            switch (attributes.Type)
            {
                case NFTA_TABLE_NAME:
                    name = Text(attributes.Value);
                    break;
                case NFTA_TABLE_HANDLE:
                    handle = attributes.ReadUInt64BigEndian();
                    break;
                default:
                    break;
            }
        }

        if (name is not null && handle != 0)
        {
            _tables[(family, name)] = handle;
        }
    }

    private void AddRule(byte family, ReadOnlySpan<byte> payload)
    {
        ReadOnlySpan<byte> table = default;
        ReadOnlySpan<byte> chain = default;
        ReadOnlySpan<byte> target = default;
        ulong handle = 0;
        NetlinkAttributeReader attributes = new(payload);
        while (attributes.Read())
        {
            switch (attributes.Type)
            {
                case NFTA_RULE_TABLE:
                    table = attributes.Value.TrimEnd((byte)0);
                    break;
                case NFTA_RULE_CHAIN:
                    chain = attributes.Value.TrimEnd((byte)0);
                    break;
                case NFTA_RULE_HANDLE:
                    handle = attributes.ReadUInt64BigEndian();
                    break;
                case NFTA_RULE_EXPRESSIONS:
                    target = TargetOf(attributes.Value);
                    break;
                default:
                    break;
            }
        }

        if (chain.StartsWith(Prefix))
        {
            (byte, string, string) key = (family, Text(table), Text(chain));
            if (!_rules.TryGetValue(key, out List<ulong>? handles))
            {
                _rules.Add(key, handles = []);
            }

            handles.Add(handle);
        }

        if (target.StartsWith(Prefix))
        {
            _holders[(family, Text(table), Text(target))] = handle;
        }
    }

    // Where a rule's last verdict leads; empty when nowhere.
    private static ReadOnlySpan<byte> TargetOf(ReadOnlySpan<byte> expressions)
    {
        ReadOnlySpan<byte> target = default;
        NetlinkAttributeReader list = new(expressions);
        while (list.Read())
        {
            if (list.Type != NFTA_LIST_ELEM || !Find(list.Value, NFTA_EXPR_NAME).TrimEnd((byte)0).SequenceEqual("immediate"u8))
            {
                continue;
            }

            ReadOnlySpan<byte> data = Find(Find(list.Value, NFTA_EXPR_DATA), NFTA_IMMEDIATE_DATA);
            ReadOnlySpan<byte> chain = Find(Find(data, NFTA_DATA_VERDICT), NFTA_VERDICT_CHAIN);
            target = chain.IsEmpty ? target : chain.TrimEnd((byte)0);
        }

        return target;
    }

    private static ReadOnlySpan<byte> Find(ReadOnlySpan<byte> nested, int type)
    {
        NetlinkAttributeReader attributes = new(nested);
        while (attributes.Read())
        {
            if (attributes.Type == type)
            {
                return attributes.Value;
            }
        }

        return default;
    }

    private static string Text(ReadOnlySpan<byte> name) => Encoding.UTF8.GetString(name.TrimEnd((byte)0));
}
