using System.Text;
using System.Text.Json;
using Xunit;
using static Conntracker.Tests.Unit.Policies.Suggestions.PolicyFlow;

namespace Conntracker.Tests.Unit.Policies.Suggestions;

/// <summary>The texts of a policy.</summary>
public class PolicyTextTests
{
    private const string Own = "192.0.2.1";

    public static TheoryData<string> HostileNames =>
    [
        "sshd\" accept\n\t\taccept", "a'b", "back\\slash\\", "\u001b[31mred", "line\r\nbreak", "$(reboot)`id`", "\u202Eright", "${x}", "# comment", "};",
            new string('ü', 400), "\ud800",
    ];

    [Fact]
    public void The_text_for_nft_reads_like_this() => Assert.Equal(
        """
        #!/usr/sbin/nft -f
        # Accepts what 3 flows needed, seen 2026-03-01 12:00 to 12:05 UTC. Everything else is dropped.
        # Check: nft -c -f FILE. Load: nft -f FILE; loading again replaces the table in one step.
        # Remove: nft delete table inet conntracker_policy.

        table inet conntracker_policy
        delete table inet conntracker_policy

        table inet conntracker_policy {
        	chain input {
        		type filter hook input priority filter; policy drop;

        		ct state established,related accept
        		ct state invalid drop
        		iif "lo" accept

        		# ICMP errors and path MTU discovery; neighbour, router and multicast listener discovery of IPv6.
        		icmp type { destination-unreachable, time-exceeded, parameter-problem } accept
        		icmpv6 type { destination-unreachable, packet-too-big, time-exceeded, parameter-problem } accept
        		icmpv6 type { nd-router-solicit, nd-router-advert, nd-neighbor-solicit, nd-neighbor-advert } accept
        		icmpv6 type { mld-listener-query, mld-listener-report, mld-listener-done, mld2-listener-report } accept

        		# Other broadcast and multicast. What follows is for this host's own addresses.
        		fib daddr type != local drop

        		ip saddr { 10.0.0.1, 10.0.0.2 } tcp dport 22 accept comment "2 flows, 2 connections, 2026-03-01 12:00 to 12:05 UTC; sshd"
        	}

        	chain forward {
        		type filter hook forward priority filter; policy drop;

        		ct state established,related accept
        		ct state invalid drop
        	}

        	chain output {
        		type filter hook output priority filter; policy drop;

        		ct state established,related accept
        		ct state invalid drop
        		oif "lo" accept

        		# ICMP errors and path MTU discovery; neighbour, router and multicast listener discovery of IPv6.
        		icmp type { destination-unreachable, time-exceeded, parameter-problem } accept
        		icmpv6 type { destination-unreachable, packet-too-big, time-exceeded, parameter-problem } accept
        		icmpv6 type { nd-router-solicit, nd-router-advert, nd-neighbor-solicit, nd-neighbor-advert } accept
        		icmpv6 type { mld-listener-query, mld-listener-report, mld-listener-done, mld2-listener-report } accept

        		ip daddr 10.0.0.9 udp dport 53 accept comment "1 flow, 1 connection, 2026-03-01 12:00 to 12:05 UTC"
        	}
        }
        """,
        Policy(In("10.0.0.1", Own, 22).With(each => each.Process = new FlowProcess { Id = 7, Name = "sshd" }), In("10.0.0.2", Own, 22),
            Out(Own, "10.0.0.9", 53, FlowProtocol.Udp)).ToString());

    [Theory]
    [MemberData(nameof(HostileNames))]
    public void Names_of_processes_stay_within_their_comment(string name)
    {
        Flow flow = In("10.0.0.1", Own, 22).With(each => each.Process = new FlowProcess { Id = 7, Name = name });
        FirewallPolicy hostile = Policy(flow);
        string harmless = Policy(In("10.0.0.1", Own, 22).With(each => each.Process = new FlowProcess { Id = 7, Name = "x" })).ToString();
        string text = hostile.ToText(FirewallPolicyFormat.Nftables);
        Assert.Equal(harmless.Split('\n').Length, text.Split('\n').Length);
        Assert.DoesNotContain(text, each => char.IsControl(each) && each is not ('\n' or '\t'));
        Assert.Equal(harmless.Count(each => each == '"'), text.Count(each => each == '"'));
        Assert.All(Comments(text), each => Assert.InRange(Encoding.UTF8.GetByteCount(each), 1, 127));

        string iptables = hostile.ToText(FirewallPolicyFormat.Iptables);
        Assert.Equal(2, iptables.Count(each => each == '"'));
        Assert.All(Comments(iptables), each => Assert.InRange(Encoding.UTF8.GetByteCount(each), 1, 255));
        Assert.True(new IptablesModel(iptables, isIPv6: false).Accepts(FilterPacket.Of(flow)));

        using JsonDocument json = JsonDocument.Parse(hostile.ToText(FirewallPolicyFormat.Json));
        Assert.Equal(1, json.RootElement.GetProperty("rules")[0].GetProperty("processes").GetArrayLength());
    }

    [Fact]
    public void Long_lists_are_sets_with_a_name_and_equal_ones_are_one_set()
    {
        Flow[] flows = [.. Enumerable.Range(0,
            9).SelectMany(each => new[] { In($"10.{each}.0.1", Own, 22), In($"10.{each}.0.1", Own, 161, FlowProtocol.Udp) })];
        string text = Policy(flows).ToString();
        Assert.Contains("\tset in_tcp_22_sources {\n\t\ttype ipv4_addr\n\t\tflags interval\n\t\telements = {\n\t\t\t10.0.0.1,\n", text,
            StringComparison.Ordinal);
        Assert.Contains("ip saddr @in_tcp_22_sources tcp dport 22 accept", text, StringComparison.Ordinal);
        Assert.Contains("ip saddr @in_tcp_22_sources udp dport 161 accept", text, StringComparison.Ordinal);
    }

    [Fact]
    public void Rejecting_answers_TCP_with_a_reset()
    {
        FirewallPolicy policy = Policy(new FirewallPolicyOptions { DefaultVerdict = FirewallPolicyDefault.Reject }, In("10.0.0.1", Own, 22));
        Assert.Equal(3, policy.Ruleset.Split("\t\tmeta l4proto tcp reject with tcp reset\n\t\treject with icmpx type admin-prohibited\n\t}").Length - 1);
        string[] iptables = policy.ToText(FirewallPolicyFormat.Iptables).Split('\n');
        Assert.Equal(3, iptables.Count(each => each.EndsWith("-j REJECT --reject-with icmp6-adm-prohibited", StringComparison.Ordinal)));
    }

    [Fact]
    public void The_text_for_iptables_is_for_both_families_and_each_family_has_its_own_text_in_a_trial()
    {
        FirewallPolicy policy =
            Policy(new FirewallPolicyOptions { Format = FirewallPolicyFormat.Iptables }, In("10.0.0.1", Own, 22), In("2001:db8::5", "2001:db8::1", 22));
        Assert.Contains(
            "-4 -A INPUT -s 10.0.0.1 -p tcp -m tcp --dport 22 -m comment --comment \"1 flow, 1 connection, 2026-03-01 12:00 to 12:05 UTC\" -j ACCEPT",
            policy.Ruleset.Split('\n'));
        Assert.Contains("\n-6 -A INPUT -s 2001:db8::5 ", policy.Ruleset, StringComparison.Ordinal);
        Assert.Equal([RulesetFormat.Iptables, RulesetFormat.Ip6tables], policy.ToRulesets().Select(each => each.Format));
        Assert.DoesNotContain("2001:db8", policy.ToRulesets()[0].Text, StringComparison.Ordinal);
        Assert.DoesNotContain("10.0.0.1", policy.ToRulesets()[1].Text, StringComparison.Ordinal);
    }

    [Fact]
    public void JSON_has_what_the_rules_have()
    {
        using JsonDocument json =
            JsonDocument.Parse(Policy(new FirewallPolicyOptions { Format = FirewallPolicyFormat.Json }, In("10.0.0.1", Own, 22)).ToString());
        JsonElement rule = json.RootElement.GetProperty("rules")[0];
        Assert.Equal(("In", "IPv4", "Tcp", "22", 0d), (rule.GetProperty("direction").GetString(), rule.GetProperty("family").GetString(),
            rule.GetProperty("protocol").GetString(), rule.GetProperty("ports")[0].GetString(), rule.GetProperty("widening").GetDouble()));
        Assert.Equal(["10.0.0.1"], rule.GetProperty("sources").EnumerateArray().Select(each => each.GetString()));
        Assert.Equal(["192.0.2.1"], json.RootElement.GetProperty("ownAddresses").EnumerateArray().Select(each => each.GetString()));
    }

    private static IEnumerable<string> Comments(string text) => text.Split('"').Where((_, i) => i % 2 == 1).Where(each => each != "lo");
}
