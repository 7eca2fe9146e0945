using Conntracker.Core.Native;
using Conntracker.Core.Netlink;
using Conntracker.Core.Rulesets;
using Xunit;
using static Conntracker.Core.Native.NftablesConstants;

namespace Conntracker.Tests.Unit.Rulesets;

/// <summary>The rules of a chain in braces have the kernel's handles, or none: never those of another rule.</summary>
public sealed class NftAnonymousChainTests
{
    private const string Text =
        "table ip t { # handle 3\n\tchain base { # handle 1\n"
        + "\t\ttype filter hook output priority filter; policy accept;\n"
        + "\t\tip daddr { 10.0.0.1, 127.0.0.1 } counter comment \"outer set\" # handle 4\n"
        + "\t\tip saddr { 10.0.0.1, 127.0.0.1 } jump {\n"
        + "\t\t\tcounter comment \"z } { # handle 7\"\n"
        + "\t\t\tip daddr vmap { 10.0.1.1 : drop, 10.0.1.3 : accept } comment \"map\"\n"
        + "\t\t\treject\n"
        + "\t\t} comment \"outer\" # handle 14\n"
        + "\t\tgoto {\n\t\t\tlog prefix \"goto { # handle 5\"\n\t\t} # handle 20\n"
        + "\t}\n}\n";

    [Fact]
    public void Lines_in_braces_have_the_handles_of_the_kernel_in_their_order()
    {
        NftRuleset rules = NftRuleset.Parse($"{Text}# anonymous chain ip t 3 20 __chain9 18\n# anonymous chain ip t 3 14 __chain8 6 9 12\n");

        NftChain jump = rules.Find("ip", "t", "__chain8")!;
        Assert.Equal(
            [
                (6UL, 1, "counter", "z } { # handle 7", false),
                (9UL, 2, "ip daddr vmap { 10.0.1.1 : drop, 10.0.1.3 : accept }", "map", false),
                (12UL, 3, "reject", (string?)null, true),
            ],
            jump.Rules.Select(each => (each.Handle, each.Position, each.Text, each.Comment, each.Rejects)));
        Assert.Equal((3UL, null, null), (jump.TableHandle, jump.Hook, jump.Type));
        Assert.Equal("log prefix \"goto { # handle 5\"", rules.Find("ip", "t", "__chain9")!.ByHandle(18)!.Text);
        Assert.Equal([4UL, 14UL, 20UL], rules.Find("ip", "t", "base")!.Rules.Select(each => each.Handle));
        Assert.Equal("outer", rules.Find("ip", "t", "base")!.ByHandle(14)!.Comment);
    }

    [Theory]
    [InlineData("# anonymous chain ip t 3 14 __chain8 6 9")] // fewer rules than lines: a string may hold a line feed
    [InlineData("# anonymous chain ip t 3 14 __chain8 6 9 12 13")]
    [InlineData("# anonymous chain ip t 4 14 __chain8 6 9 12")] // the table was made again
    [InlineData("# anonymous chain ip6 t 3 14 __chain8 6 9 12")]
    [InlineData("# anonymous chain ip t 3 4 __chain8 6 9 12")] // a rule without braces
    [InlineData("# anonymous chain ip t 3 14 __chain8 6 x 12")]
    [InlineData("# anonymous chain ip t 3 14 __chain8 ")]
    [InlineData("# anonymous chain ip t 3 14")]
    [InlineData("# anonymous chain ")]
    public void What_does_not_fit_gives_no_rule_a_text(string line)
    {
        NftRuleset rules = NftRuleset.Parse($"{Text}{line}\n");
        Assert.Equal(["base"], rules.Chains.Select(each => each.Name));
    }

    [Fact]
    public void A_string_with_a_line_feed_leaves_all_rules_of_its_braces_without_text()
    {
        const string TwoLines =
            "table ip t { # handle 3\n\tchain base { # handle 1\n"
            + "\t\tjump {\n\t\t\tlog prefix \"a\"\n\t\t\tdrop comment \"b\"\n\t\t\taccept\n\t\t} # handle 14\n\t}\n}\n";
        Assert.Null(NftRuleset.Parse($"{TwoLines}# anonymous chain ip t 3 14 __chain8 6 7\n").Find("ip", "t", "__chain8"));
        Assert.NotNull(NftRuleset.Parse($"{TwoLines}# anonymous chain ip t 3 14 __chain8 6 7 8\n").Find("ip", "t", "__chain8"));
    }

    [Fact]
    public void The_kernels_answers_name_the_chain_its_holder_and_its_rules_in_order()
    {
        NftAnonymousChains chains = new();
        Take(chains, Rule("t", "base", 4, null));
        Take(chains, Rule("t", "base", 14, "__chain8"));
        Take(chains, Rule("t", "base", 15, "services"));
        Take(chains, Rule("t", "__chain8", 6, null));
        Take(chains, Rule("t", "__chain8", 12, null));
        Take(chains, Rule("t", "__chain8", 9, null));
        Take(chains, Rule("other", "__chain8", 77, null));
        Take(chains, Table("t", 3));
        Take(chains, Table("other", 4));

        NftAnonymousChain chain = Assert.Single(chains.Chains());
        Assert.Equal("# anonymous chain ip t 3 14 __chain8 6 12 9", chain.ToLine());
        Assert.Equal(chain.ToLine(), NftAnonymousChain.Parse(chain.ToLine())!.ToLine());
    }

    [Fact]
    public void Truncated_and_mutated_answers_never_throw()
    {
        Random random = new(1);
        byte[][] answers = [Rule("t", "base", 14, "__chain8"), Rule("t", "__chain8", 6, null), Table("t", 3)];
        for (int i = 0; i < 50_000; i++)
        {
            NftAnonymousChains chains = new();
            foreach (byte[] answer in answers)
            {
                byte[] mutated = [.. answer];
                int payload = mutated.Length - 16;
                mutated[16 + random.Next(payload)] = (byte)random.Next(256);
                chains.Take(new NetlinkMessage(TypeOf(answer), 0, 0, mutated.AsSpan(16, random.Next(2) == 0 ? payload : random.Next(payload))));
            }

            Assert.All(chains.Chains(), chain => Assert.NotEmpty(chain.Handles));
        }
    }

    // The comment is the rule's, whatever is in the braces before it.
    [Theory]
    [InlineData("add @dynmark { 10.2.3.4 timeout 2s : 0x00000002 }")]
    [InlineData("add @dynmark { 0xa020304 timeout 2s : 2 }")]
    [InlineData("add @dynmark { 0xa020304 [invalid type] timeout 2s : 0x00000002 }")]
    [InlineData("update @dynmark { ip daddr timeout 2s : 0x00000002 }")]
    public void A_rule_that_adds_to_a_map_keeps_its_comment(string text)
    {
        NftRuleset rules = NftRuleset.Parse(
            $"table ip t {{ # handle 3\n\tchain c {{ # handle 1\n\t\t{text} comment \"also check timeout-gc\" # handle 2\n\t}}\n}}\n");
        NftRule rule = Assert.Single(Assert.Single(rules.Chains).Rules);
        Assert.Equal((text, "also check timeout-gc"), (rule.Text, rule.Comment));
    }

    private static ushort TypeOf(byte[] message) => BitConverter.ToUInt16(message, 4);

    private static void Take(NftAnonymousChains chains, byte[] bytes)
    {
        NetlinkMessageReader reader = new(bytes);
        Assert.True(reader.TryRead(out NetlinkMessage message));
        chains.Take(in message);
    }

    private static byte[] Table(string table, ulong handle)
    {
        NetlinkWriter writer = Begin(NFT_MSG_NEWTABLE);
        writer.WriteBytes(NFTA_TABLE_NAME, Name(table));
        writer.WriteUInt64BigEndian(NFTA_TABLE_HANDLE, handle);
        writer.EndMessage();
        return writer.Written.ToArray();
    }

    private static byte[] Rule(string table, string chain, ulong handle, string? target)
    {
        NetlinkWriter writer = Begin(NFT_MSG_NEWRULE);
        writer.WriteBytes(NFTA_RULE_TABLE, Name(table));
        writer.WriteBytes(NFTA_RULE_CHAIN, Name(chain));
        writer.WriteUInt64BigEndian(NFTA_RULE_HANDLE, handle);
        int expressions = writer.BeginNested(NFTA_RULE_EXPRESSIONS);
        int counter = writer.BeginNested(NFTA_LIST_ELEM);
        writer.WriteBytes(NFTA_EXPR_NAME, Name("counter"));
        writer.EndNested(counter);
        if (target is not null)
        {
            int immediate = writer.BeginNested(NFTA_LIST_ELEM);
            writer.WriteBytes(NFTA_EXPR_NAME, Name("immediate"));
            int expression = writer.BeginNested(NFTA_EXPR_DATA);
            int data = writer.BeginNested(NFTA_IMMEDIATE_DATA);
            int verdict = writer.BeginNested(NFTA_DATA_VERDICT);
            writer.WriteUInt32BigEndian(NFTA_VERDICT_CODE, unchecked((uint)NFT_JUMP));
            writer.WriteBytes(NFTA_VERDICT_CHAIN, Name(target));
            writer.EndNested(verdict);
            writer.EndNested(data);
            writer.EndNested(expression);
            writer.EndNested(immediate);
        }

        writer.EndNested(expressions);
        writer.EndMessage();
        return writer.Written.ToArray();
    }

    private static NetlinkWriter Begin(int message)
    {
        NetlinkWriter writer = new(new byte[1024]);
        writer.BeginMessage((NFNL_SUBSYS_NFTABLES << 8) | message, 0, 0);
        writer.WriteStruct(new nfgenmsg { nfgen_family = NFPROTO_IPV4 });
        return writer;
    }

    private static byte[] Name(string name) => System.Text.Encoding.UTF8.GetBytes($"{name}\0");
}
