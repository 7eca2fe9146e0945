using Conntracker.Core.Rulesets;
using Xunit;

namespace Conntracker.Tests.Unit;

/// <summary>A ruleset as objects: what each rule does and where it is, with the policies.</summary>
public sealed class FirewallRuleListTests
{
    private static readonly IReadOnlyList<FirewallRule> s_nftables = FirewallRuleList.Of(NftRuleset.Parse(RulesetFixture.Nftables));
    private static readonly IReadOnlyList<FirewallRule> s_iptables =
        FirewallRuleList.Of(IptablesRuleset.Parse(RulesetFixture.Iptables), FlowFamily.IPv4);

    [Fact]
    public void Every_rule_of_every_chain_is_there_in_its_order_and_so_is_every_policy()
    {
        NftRuleset parsed = NftRuleset.Parse(RulesetFixture.Nftables);
        Assert.Equal(
            parsed.Chains.SelectMany(chain => chain.Rules.Select(
                rule => $"{chain.Family} {chain.Table} {chain.Name} {rule.Position} {rule.Handle} {rule.Text}{rule.Comment}")),
            s_nftables.Where(rule => rule.Type == TraceStepType.Rule).Select(
                rule => $"{rule.Family} {rule.Table} {rule.Chain} {rule.Position} {rule.Handle} {rule.Text}{rule.Comment}"));
        Assert.Equal(
            parsed.Chains.Where(chain => chain.Policy is not null).Select(
                chain => $"{chain.Family} {chain.Table} {chain.Name} {chain.Rules.Count + 1} policy {chain.Policy}"),
            s_nftables.Where(rule => rule.Type == TraceStepType.Policy).Select(rule => $"{rule.Family} {rule.Table} {rule.Chain} {rule.Position} {rule.Text}"));
    }

    [Theory]
    [InlineData("PREROUTING", "nat", 1, "prerouting", "dstnat", "accept", "-p tcp -m tcp --dport 80 -j DNAT --to-destination 192.0.2.9:8080", null)]
    [InlineData("POSTROUTING", "nat", 1, "postrouting", "srcnat", "accept", "-o eth0 -j MASQUERADE", null)]
    [InlineData("INPUT", "filter", 2, "input", "filter", "jump services", "-p tcp -m comment --comment \"of the users\" -j services", "of the users")]
    [InlineData("INPUT", "filter", 7, "input", "filter", "continue", "-m limit --limit 5/min -j LOG --log-prefix \"hey -j DROP \"", null)]
    [InlineData("services", "filter", 3, null, null, "queue", "-p tcp -m tcp --dport 24 -j NFQUEUE --queue-num 3", null)]
    [InlineData("FORWARD", "filter", 1, "forward", "filter", "drop", "policy drop", null)]
    [InlineData("FORWARD", "mangle", 2, "forward", "mangle", "accept", "policy accept", null)]
    public void A_legacy_rule_says_where_it_is_and_what_it_does(
        string chain, string table, int position, string? hook, string? priority, string verdict, string text, string? comment)
    {
        FirewallRule rule = s_iptables.Single(each => each.Chain == chain && each.Table == table && each.Position == position);
        Assert.Equal((TraceEngine.Iptables, "ip", (ulong?)null), (rule.Engine, rule.Family, rule.Handle));
        Assert.Equal((hook, priority, verdict, text, comment), (rule.Hook, rule.Priority, rule.Verdict, rule.Text, rule.Comment));
    }

    [Fact]
    public void The_rules_of_the_other_family_say_so() =>
        Assert.All(FirewallRuleList.Of(IptablesRuleset.Parse(RulesetFixture.Ip6tables), FlowFamily.IPv6), rule => Assert.Equal("ip6", rule.Family));

    [Theory]
    [InlineData("ct state vmap { invalid : drop, established : accept, related : accept }", null)]
    [InlineData("tcp dport vmap @ports", null)]
    [InlineData("tcp dport { 1, 2 } accept", "accept")]
    [InlineData("ct state new jump { tcp dport 7 accept; drop; }", "jump")]
    [InlineData("log prefix \"drop \" counter", "continue")]
    [InlineData("log prefix \"a \" drop", "drop")]
    [InlineData("", "continue")]
    [InlineData("tcp dport 8080 dnat to 198.51.100.2:80", "accept")]
    [InlineData("dnat ip to tcp dport map { 1000 : 192.0.2.1 . 80 }", "accept")]
    [InlineData("oifname \"eth0\" masquerade random,persistent", "accept")]
    [InlineData("oifname \"eth0\" counter masquerade", "accept")]
    [InlineData("tcp dport 80 redirect to :8080", "accept")]
    [InlineData("icmp type redirect counter", "continue")]
    [InlineData("icmp type redirect", "continue")]
    [InlineData("ct status dnat counter", "continue")]
    [InlineData("ct status dnat accept", "accept")]
    [InlineData("queue num 1-3 bypass", "queue")]
    [InlineData("queue flags bypass to 5", "queue")]
    [InlineData("jump queue", "jump queue")]
    [InlineData("goto accept", "goto accept")]
    [InlineData("counter xt target \"DNAT\"", "accept")]
    [InlineData("counter xt target \"LOG\"", "continue")]
    [InlineData("flow add @ft", "continue")]
    [InlineData("fwd to \"eth1\"", null)]
    [InlineData("meta mark set 0x1 return", "return")]
    public void A_rule_of_nftables_says_what_it_does(string text, string? verdict) =>
        Assert.Equal(verdict, NftVerdict.Of(new NftRule { Handle = 1, Position = 1, Text = text }));

    [Fact]
    public void A_reject_is_one_however_it_is_written() =>
        Assert.All(
            s_nftables.Where(rule => rule.Text.EndsWith(" counter reject", StringComparison.Ordinal)
                || rule.Text.Contains("reject with", StringComparison.Ordinal)),
            rule => Assert.Equal("reject", rule.Verdict));

    [Fact]
    public void Tables_of_iptables_nft_are_recognized_and_others_are_written_by_hand()
    {
        Assert.All(s_nftables.Where(rule => rule is { Family: "ip", Table: "filter", Chain: "INPUT" }), rule => Assert.Equal("iptables-nft", rule.Owner));
        Assert.All(s_nftables.Where(rule => rule is { Family: "inet", Table: "firewall" }), rule => Assert.Null(rule.Owner));
    }

    [Theory]
    [InlineData("filter", "DOCKER-FORWARD", "drop", null, "drop", "docker")]
    [InlineData("filter", "FORWARD", "jump DOCKER-USER", null, "-j DOCKER-USER", "docker")]
    [InlineData("filter", "DOCKER-USER", "drop", null, "-s 192.0.2.1/32 -j DROP", null)]
    [InlineData("nat", "POSTROUTING", "accept", null, "-s 172.17.0.0/16 ! -o docker0 -j MASQUERADE", "docker")]
    [InlineData("nat", "POSTROUTING", "accept", null, "ip saddr 172.17.0.0/16 oifname != \"docker0\" counter masquerade", "docker")]
    [InlineData("netavark", "INPUT", "accept", null, "accept", "podman")]
    [InlineData("nat", "NETAVARK-1D8721804F16F", "accept", null, "accept", "podman")]
    [InlineData("nat", "CNI-HOSTPORT-DNAT", "accept", null, "accept", "cni")]
    [InlineData("filter", "INPUT", "jump KUBE-FIREWALL", null, "-j KUBE-FIREWALL", "kube-proxy")]
    [InlineData("kube-proxy", "services", null, null, "", "kube-proxy")]
    [InlineData("filter", "KUBE-ROUTER-FORWARD", "accept", null, "", "kube-router")]
    [InlineData("filter", "FORWARD", "accept", "cali:S93hcgKJrXEqnTfs", "", "calico")]
    [InlineData("filter", "CILIUM_INPUT", "accept", null, "", "cilium")]
    [InlineData("firewalld", "filter_IN_public", "accept", null, "", "firewalld")]
    [InlineData("filter", "ufw-user-input", "accept", null, "", "ufw")]
    [InlineData("filter", "INPUT", "jump f2b-sshd", null, "", "fail2ban")]
    [InlineData("f2b-table", "f2b-chain", "reject", null, "", "fail2ban")]
    [InlineData("libvirt_network", "forward", "accept", null, "", "libvirt")]
    [InlineData("filter", "LIBVIRT_INP", "accept", null, "", "libvirt")]
    [InlineData("lxd", "fwd.lxdbr0", "accept", null, "", "lxd")]
    [InlineData("nat", "POSTROUTING", "accept", "generated for Incus network incusbr0", "", "incus")]
    [InlineData("filter", "ts-input", "accept", null, "", "tailscale")]
    [InlineData("crowdsec6", "crowdsec6-chain", "drop", null, "", "crowdsec")]
    [InlineData("filter", "MINIUPNPD", "accept", null, "", "miniupnpd")]
    [InlineData("wg-quick-wg0", "premangle", "accept", null, "", "wg-quick")]
    [InlineData("filter", "input", "accept", "let docker in", "", null)]
    [InlineData("filter", "DOCKERS", "accept", null, "", null)]
    public void The_owner_is_who_names_tables_chains_and_comments_so(
        string table, string chain, string? verdict, string? comment, string text, string? owner) =>
        Assert.Equal(owner, RuleOwner.OfChain(table, chain) ?? RuleOwner.OfRule(verdict, comment, text));
}
