using Conntracker.Core.Rulesets;
using Xunit;

namespace Conntracker.Tests.Unit;

/// <summary>A position in a TRACE line stands for one rule of the user's: its text, comment, target and what it does.</summary>
public sealed class IptablesRulesetTests
{
    private static readonly IptablesRuleset s_rules = IptablesRuleset.Parse(RulesetFixture.Iptables);

    [Fact]
    public void Every_chain_is_there_with_its_policy_and_its_rules_in_their_order()
    {
        Assert.Equal(
            ["filter FORWARD DROP 0", "filter INPUT ACCEPT 10", "filter OUTPUT ACCEPT 0", "filter a\"b  1", "filter log-it  1", "filter services  4"],
            s_rules.Chains.Where(each => each.Table == "filter")
                .Select(each => $"{each.Table} {each.Name} {each.Policy} {each.Rules.Count}").Order(StringComparer.Ordinal));
        Assert.Equal(["filter", "mangle", "nat", "raw"], s_rules.Chains.Select(each => each.Table).Distinct().Order());
        Assert.All(s_rules.Chains, each => Assert.Equal(Enumerable.Range(1, each.Rules.Count), each.Rules.Select(rule => rule.Position)));
        Assert.Null(s_rules.Find("security", "INPUT"));
    }

    [Theory]
    [InlineData("filter", "INPUT", 1, "-m conntrack --ctstate INVALID -j DROP", null, "DROP", "drop")]
    [InlineData("filter", "INPUT", 2, "-p tcp -m comment --comment \"of the users\" -j services", "of the users", "services", "jump services")]
    [InlineData("filter", "INPUT", 3, "-p udp -m comment --comment single -g services", "single", "services", "goto services")]
    [InlineData("filter", "INPUT", 4, "! -s 192.0.2.0/24 ! -i lo -p tcp -m comment --comment \"a \\\"quoted\\\" \\'word\\' \\\\ and -A FORWARD -j DROP\" " +
        "-j ACCEPT", "a \"quoted\" 'word' \\ and -A FORWARD -j DROP", "ACCEPT", "accept")]
    [InlineData("filter", "INPUT", 5, "-m comment --comment -j -j REJECT --reject-with icmp-port-unreachable", "-j", "REJECT", "reject")]
    [InlineData("filter", "INPUT", 6, "-p tcp -m string --string \"x \\\" -j y\" --algo bm -j REJECT --reject-with tcp-reset", null, "REJECT", "reject")]
    [InlineData("filter", "INPUT", 7, "-m limit --limit 5/min -j LOG --log-prefix \"hey -j DROP \"", null, "LOG", "continue")]
    [InlineData("filter", "INPUT", 8, "-m statistic --mode nth --every 3 --packet 0 -j MARK --set-xmark 0x1/0xffffffff", null, "MARK", "continue")]
    [InlineData("filter", "INPUT", 9, "-p tcp -m multiport ! --dports 1,2,3:5 -j a\"b", null, "a\"b", "jump a\"b")]
    [InlineData("filter", "INPUT", 10, "-p icmp", null, null, "continue")]
    [InlineData("filter", "a\"b", 1, "-j NFLOG --nflog-prefix \"it\\'s\"", null, "NFLOG", "continue")]
    [InlineData("filter", "services", 2, "-p tcp -m tcp --dport 23 -j RETURN", null, "RETURN", "return")]
    [InlineData("filter", "services", 3, "-p tcp -m tcp --dport 24 -j NFQUEUE --queue-num 3", null, "NFQUEUE", "queue")]
    [InlineData("filter", "services", 4, "-m comment --comment \"two\nlines\" -j log-it", "two\nlines", "log-it", "jump log-it")]
    [InlineData("nat", "PREROUTING", 1, "-p tcp -m tcp --dport 80 -j DNAT --to-destination 192.0.2.9:8080", null, "DNAT", "accept")]
    [InlineData("nat", "PREROUTING", 2, "-p tcp -m tcp --dport 81 -j REDIRECT --to-ports 8081", null, "REDIRECT", "accept")]
    [InlineData("nat", "POSTROUTING", 1, "-o eth0 -j MASQUERADE", null, "MASQUERADE", "accept")]
    [InlineData("raw", "PREROUTING", 1, "-p udp -m udp --dport 53 -j CT --notrack", null, "CT", "continue")]
    [InlineData("mangle", "PREROUTING", 1, "-p tcp -m tcp --dport 82 -j TPROXY --on-port 9 --on-ip 127.0.0.1 --tproxy-mark 0x0/0x0", null, "TPROXY", "accept")]
    [InlineData("mangle", "FORWARD", 1, "-p tcp -m tcp --tcp-flags SYN,RST SYN -j TCPMSS --clamp-mss-to-pmtu", null, "TCPMSS", "continue")]
    public void A_rule_has_its_text_comment_target_and_verdict(string table,
        string chain, int position, string text, string? comment, string? target, string verdict)
    {
        IptablesRule rule = s_rules.Find(table, chain)!.Rules[position - 1];
        Assert.Equal((text, comment, target, verdict), (rule.Text, rule.Comment, rule.Target, rule.Verdict));
    }

    [Fact]
    public void Counters_change_nothing()
    {
        Assert.Contains("[0:0] -A INPUT", RulesetFixture.IptablesWithCounters, StringComparison.Ordinal);
        Assert.Equal(Lines(s_rules), Lines(IptablesRuleset.Parse(RulesetFixture.IptablesWithCounters)));
    }

    [Fact]
    public void IPv6_is_read_as_well()
    {
        IptablesRule rule = IptablesRuleset.Parse(RulesetFixture.Ip6tables).Find("filter", "INPUT")!.Rules.Single();
        Assert.Equal(("-p ipv6-icmp -m comment --comment \"neighbours ü\" -j ACCEPT", "neighbours ü", "accept"), (rule.Text, rule.Comment, rule.Verdict));
    }

    [Fact]
    public void A_chain_named_like_an_unknown_target_is_a_chain_wherever_it_stands()
    {
        IptablesRuleset rules = IptablesRuleset.Parse("*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -j LATER\n-A INPUT -j NOWHERE\n-A LATER -j ACCEPT\nCOMMIT\n");
        Assert.Equal(["jump LATER", "continue"], rules.Find("filter", "INPUT")!.Rules.Select(each => each.Verdict));
    }

    [Theory]
    [InlineData("")]
    [InlineData("-A INPUT -j ACCEPT\n")]
    [InlineData("*\n:\n-A \n[\n")]
    [InlineData("COMMIT\n*filter")]
    public void Nothing_is_read_of_nothing(string text) => Assert.All(IptablesRuleset.Parse(text).Chains, each => Assert.Null(each.Policy));

    [Fact]
    public void A_quote_that_is_never_closed_costs_its_own_rule_only()
    {
        IptablesRuleset rules = IptablesRuleset.Parse("*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -m comment --comment \"open\n-A INPUT -j DROP\nCOMMIT\n");
        Assert.Equal(["-m comment --comment \"open", "-j DROP"], rules.Find("filter", "INPUT")!.Rules.Select(each => each.Text));
    }

    private static IEnumerable<string> Lines(IptablesRuleset rules) =>
        rules.Chains.SelectMany(chain =>
            chain.Rules.Select(rule => $"{chain.Table} {chain.Name} {chain.Policy} {rule.Position} {rule.Text} {rule.Comment} {rule.Verdict}"));
}
