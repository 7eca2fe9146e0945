using System.Text;
using Conntracker.Core.Rulesets;

namespace Conntracker.Tests.Fuzz.Harnesses;

/// <summary>Rulesets: the texts of nft and of iptables-save, and the entries that the kernel holds of a legacy table.</summary>
internal static class RulesetHarnesses
{
    private static readonly byte[][] s_words =
    [
        .. new[]
        {
            "\"", "\\", "\\\"", "{", "}", " {\n", "\t}\n", "}\n", "\n", "# handle 5", " # handle 18446744073709551615", "table inet x {\n", "\tchain y {\n",
            "comment \"", "jump { ", "type filter hook input priority filter; policy drop;", "elements = { ", "*filter\n", ":INPUT ACCEPT [0:0]\n",
            "-A INPUT ", "-A \"", "[5:300] ", "COMMIT\n", "-j ", "-g ", "--comment ", "conntracker_1", "flags owner", ";", "'",
            "\n# anonymous chain inet firewall 1 36 __chain1 34 35\n",
        }.Select(Encoding.UTF8.GetBytes),
    ];

    public static IEnumerable<Harness> All(Corpus corpus)
    {
        _ = corpus;
        ByteMutator mutator = new(s_words);
        string[] tables = Encoding.UTF8.GetString(Corpus.UnitFile("rulesets", "nftables.txt")).Split("\ntable ");
        byte[][] nftables = [Encoding.UTF8.GetBytes(tables[0]), .. tables[1..].Select(each => Encoding.UTF8.GetBytes($"table {each}\n"))];
        byte[][] iptables = [.. new[] { "iptables.txt", "iptables-counters.txt", "ip6tables.txt" }.Select(each => Corpus.UnitFile("rulesets", each))];
        yield return new Harness("nft-ruleset", nftables, mutator, Nftables);
        yield return new Harness("iptables-ruleset", iptables, mutator, Iptables);
        yield return new Harness("iptables-entries", [Entries(IptablesLayout.IPv4), Entries(IptablesLayout.IPv6)], new ByteMutator(), IptablesTable);
    }

    private static void Nftables(ReadOnlySpan<byte> input)
    {
        NftRuleset ruleset = NftRuleset.Parse(Encoding.UTF8.GetString(input));
        foreach (NftChain chain in ruleset.Chains)
        {
            HookPriority.Parse(chain.Priority);
            for (int i = 0; i < chain.Rules.Count; i++)
            {
                Must.Be(chain.Rules[i].Position == i + 1, "Rules are counted from 1.");
            }
        }
    }

    private static void Iptables(ReadOnlySpan<byte> input)
    {
        IptablesRuleset ruleset = IptablesRuleset.Parse(Encoding.UTF8.GetString(input));
        Must.Be(ruleset.Chains.Sum(each => each.Rules.Count) <= input.Length, "Each rule is a part of the text.");
    }

    private static void IptablesTable(ReadOnlySpan<byte> input)
    {
        IptablesEntries.Hash(0, input, IptablesLayout.IPv4);
        IptablesEntries.Hash(0, input, IptablesLayout.IPv6);
    }

    private static byte[] Entries(IptablesLayout layout)
    {
        const int Count = 3;
        const int Target = 40;
        byte[] entries = new byte[Count * (layout.EntryLength + Target)];
        for (int start = 0; start < entries.Length; start += layout.EntryLength + Target)
        {
            BitConverter.TryWriteBytes(entries.AsSpan(start + layout.EntryNext), (ushort)(layout.EntryLength + Target));
        }

        return entries;
    }
}
