using System.Text.Json;
using Conntracker.Core.Rulesets;
using Xunit;

namespace Conntracker.Tests.Unit;

/// <summary>A handle in a trace stands for one rule of the user's: its text, comment, position and chain.</summary>
public sealed class NftRulesetTests
{
    private static readonly NftRuleset s_rules = NftRuleset.Parse(RulesetFixture.Nftables);

    [Fact]
    public void Every_rule_and_no_other_is_found_with_its_handle_position_and_comment()
    {
        List<(string, int, ulong, string?)> expected = [];
        Dictionary<string, int> positions = [];
        foreach (JsonElement rule in Json("rule"))
        {
            string chain = $"{Text(rule, "family")} {Text(rule, "table")} {Text(rule, "chain")}";
            int position = positions[chain] = positions.GetValueOrDefault(chain) + 1;
            expected.Add((chain, position, rule.GetProperty("handle").GetUInt64(), Text(rule, "comment")));
        }

        Assert.True(expected.Count > 45);
        Assert.Equal(
            expected.Order(),
            s_rules.Chains.SelectMany(
                chain => chain.Rules.Select(rule => ($"{chain.Family} {chain.Table} {chain.Name}", rule.Position, rule.Handle, rule.Comment))).Order());
        Assert.All(s_rules.Chains, chain =>
            Assert.All(chain.Rules, rule => Assert.Same(rule, s_rules.Find(chain.Family, chain.Table, chain.Name)?.ByHandle(rule.Handle))));
    }

    [Fact]
    public void Every_chain_is_found_with_its_type_hook_and_policy()
    {
        IEnumerable<(string?, string?, string?, string?, string?, string?)> expected =
            Json("chain").Select(each =>
                (Text(each, "family"), Text(each, "table"), Text(each, "name"), Text(each, "type"), Text(each, "hook"), Text(each, "policy")));
        Assert.Equal(
            expected.Order(),
            s_rules.Chains.Select(each => ((string?)each.Family, (string?)each.Table, (string?)each.Name, each.Type, each.Hook, each.Policy)).Order());
    }

    [Theory]
    [InlineData("inet", "firewall", "input", "filter + 5")]
    [InlineData("inet", "firewall", "forward", "filter - 10")]
    [InlineData("inet", "firewall", "ing", "filter + 7")]
    [InlineData("netdev", "early", "in0", "-500")]
    [InlineData("netdev", "early", "in1", "filter + 10")]
    [InlineData("ip", "nat", "prerouting", "dstnat")]
    [InlineData("inet", "firewall", "ssh_in", null)]
    public void A_priority_is_shown_as_nft_prints_it(string family, string table, string chain, string? priority) =>
        Assert.Equal(priority, s_rules.Find(family, table, chain)!.Priority);

    [Fact]
    public void Our_own_tables_are_not_the_users_and_a_table_that_is_only_named_like_them_is()
    {
        Assert.DoesNotContain(s_rules.Chains, each => each.Family == "inet" && each.Table.StartsWith("conntracker", StringComparison.Ordinal));
        Assert.NotNull(s_rules.Find("ip", "conntracker", "mine"));
        NftRuleset similar = NftRuleset.Parse("table inet conntracker_x {\n\tchain a {\n\t}\n}\ntable inet conntracker2 {\n\tchain a {\n\t}\n}\n");
        Assert.Equal(2, similar.Chains.Count);
    }

    [Theory]
    [InlineData(12, "ip saddr @admins accept", "from # handle 5 { the office }", false)]
    [InlineData(13, "meta l4proto tcp limit rate 3/minute log prefix \"ssh { # handle 9 } \" reject with tcp reset", null, true)]
    [InlineData(14, "log prefix \"reject me\" counter drop", null, false)]
    public void A_rule_has_its_text_without_handle_and_comment(ulong handle, string text, string? comment, bool rejects)
    {
        NftRule rule = s_rules.Find("inet", "firewall", "ssh_in")!.ByHandle(handle)!;
        Assert.Equal((text, comment, rejects), (rule.Text, rule.Comment, rule.Rejects));
    }

    [Fact]
    public void A_chain_inside_a_rule_is_shown_on_one_line_and_is_the_rules_not_its_neighbours()
    {
        NftChain input = s_rules.Find("inet", "firewall", "input")!;
        NftRule jump = input.Rules.Single(each => each.Text.StartsWith("ct state new jump", StringComparison.Ordinal));
        Assert.Equal(("ct state new jump { tcp dport 7 accept comment \"inside\"; drop; }", null, 14), (jump.Text, jump.Comment, jump.Position));
        Assert.Equal(("tcp dport 99 log prefix \"accept comment \"", "the last", 15),
            (input.Rules[14].Text, input.Rules[14].Comment, input.Rules[14].Position));
    }

    [Fact]
    public void A_comment_may_go_on_over_lines_and_hold_what_looks_like_a_handle()
    {
        NftChain chain = s_rules.Find("inet", "long", "c")!;
        Assert.Equal(("tcp dport 6 accept", "two\nlines # handle 77"), (chain.Rules[5].Text, chain.Rules[5].Comment));
        Assert.Equal(("tcp dport 6 accept", @"back\\slash ü"), (chain.Rules[6].Text, chain.Rules[6].Comment));
        Assert.Equal(("tcp dport vmap { 7 : accept, 8 : drop }", "on a map"), (chain.Rules[7].Text, chain.Rules[7].Comment));
    }

    [Fact]
    public void A_set_of_more_than_a_hundred_elements_is_shown_in_full()
    {
        NftRule rule = s_rules.Find("inet", "long", "c")!.Rules[0];
        Assert.StartsWith("ip saddr { 10.0.0.1, 10.0.2.1, ", rule.Text, StringComparison.Ordinal);
        Assert.EndsWith(", 10.1.42.1 } accept", rule.Text, StringComparison.Ordinal);
        Assert.Equal(150, rule.Text.Split(", ").Length);
        Assert.Equal("many", rule.Comment);
    }

    [Theory]
    [InlineData("counter log prefix \"q\"uo te\"", false)]
    [InlineData("counter log prefix \"tail \"\"", false)]
    [InlineData("meta l4proto tcp xt match string counter reject", true)]
    [InlineData("meta l4proto udp counter reject with icmp type host-prohibited", true)]
    [InlineData("counter jump reject", false)]
    public void A_rule_of_iptables_nft_is_read_with_quotes_as_they_are(string text, bool rejects) =>
        Assert.Equal(rejects, s_rules.Find("ip", "filter", "INPUT")!.Rules.Single(each => each.Text == text).Rejects);

    // As other versions of nft and other kernels print: warnings in the output, owners, wrapped sets, x_tables' parts by name.
    [Fact]
    public void What_other_versions_of_nft_print_is_read_as_well()
    {
        NftRuleset rules = NftRuleset.Parse(
            "# Warning: table ip filter is managed by iptables-nft, do not touch!\n"
            + "table ip filter { # handle 3\n\tchain INPUT { # handle 1\n\t\ttype filter hook input priority 0; policy drop;\n"
            + "\t\txt match \"comment\" counter packets 0 bytes 0 xt target \"REJECT\" # handle 2\n"
            + "\t\txt match \"comment\" xt target REJECT # handle 3\n"
            + "\t\txt match \"REJECT\" xt target \"LOG\" # handle 4\n"
            + "\t\tip saddr { 192.0.2.1, 192.0.2.2,\n\t\t\t     192.0.2.3,\n\t\t\t     192.0.2.4 } drop comment \"wrapped\" # handle 5\n"
            + "\t\t # handle 6\n"
            + "\t\tlog prefix \"never closed\" \" # handle 7\n"
            + "\t\tjump {\n\t\t\taccept # handle 8\n\t\t\treject # handle 9\n\t\t} # handle 10\n"
            + "\t}\n}\n"
            + "table inet owned { # progname app\n\tflags owner\n\n\tchain c { # handle 1\n\t\tcomment \"policy drop; " +
                "x\"\n\t\ttype filter hook ingress devices = { eth0, lo } priority filter; policy accept;\n\t\tflags offload;\n\t\taccept # handle " +
                "2\n\t}\n}\n");
        NftChain input = rules.Find("ip", "filter", "INPUT")!;
        Assert.Equal([2, 3, 4, 5, 6, 7, 10], input.Rules.Select(each => (int)each.Handle));
        Assert.Equal([true, true, false, false, false, false, false], input.Rules.Select(each => each.Rejects));
        Assert.Equal(("0", "drop"), (input.Priority, input.Policy));
        Assert.Equal(("ip saddr { 192.0.2.1, 192.0.2.2, 192.0.2.3, 192.0.2.4 } drop", "wrapped"), (input.Rules[3].Text, input.Rules[3].Comment));
        Assert.Equal("", input.Rules[4].Text);
        Assert.Equal("log prefix \"never closed\" \"", input.Rules[5].Text);
        Assert.Equal("jump { accept; reject; }", input.Rules[6].Text);
        NftChain owned = rules.Find("inet", "owned", "c")!;
        Assert.Equal(("filter", "ingress", "filter", "accept", 1), (owned.Type, owned.Hook, owned.Priority, owned.Policy, owned.Rules.Count));
    }

    [Theory]
    [InlineData("")]
    [InlineData("\n\n")]
    [InlineData("table")]
    [InlineData("table inet {")]
    [InlineData("table inet x {\n\tchain")]
    [InlineData("table inet x {\n\tchain y {\n\t\t\"")]
    public void Nothing_is_read_of_nothing(string text) => Assert.All(NftRuleset.Parse(text).Chains, each => Assert.Empty(each.Rules));

    private static string? Text(JsonElement element, string name) => element.TryGetProperty(name, out JsonElement value) ? value.GetString() : null;

    // What nft's JSON has of a kind, our own tables left out.
    private static List<JsonElement> Json(string kind)
    {
        using JsonDocument document = JsonDocument.Parse(RulesetFixture.NftablesJson);
        return
        [
            .. from each in document.RootElement.GetProperty("nftables").EnumerateArray()
               where each.TryGetProperty(kind, out _)
               let value = each.GetProperty(kind).Clone()
               where Text(value, "family") != "inet" || Text(value, "table") is not ("conntracker" or "conntracker_7")
               select value,
        ];
    }
}
