using Conntracker.Core.Policies.Usage;
using Xunit;

namespace Conntracker.Tests.Unit;

/// <summary>Two rules are disjoint only where their words prove it: what is not understood never is.</summary>
public sealed class RuleMatchTests
{
    [Theory]
    [InlineData("tcp dport 22 accept", "tcp dport 23 drop", true)]
    [InlineData("tcp dport 22 accept", "tcp dport 20-30 drop", false)]
    [InlineData("tcp dport { 22, 80-90 } accept", "tcp dport 85 drop", false)]
    [InlineData("tcp dport { 22, 80-90 } accept", "tcp dport { 23, 91 } drop", true)]
    [InlineData("tcp dport != 22 accept", "tcp dport 22 drop", true)]
    [InlineData("tcp dport 22 accept", "udp dport 22 drop", true)]
    [InlineData("tcp dport 22 accept", "tcp sport 23 drop", false)]
    [InlineData("meta l4proto { tcp, udp } accept", "icmp type echo-request drop", true)]
    [InlineData("icmp type echo-request accept", "icmp type { echo-reply, redirect } drop", true)]
    [InlineData("icmpv6 type echo-request accept", "icmp type echo-request drop", true)]
    [InlineData("ip saddr 10.0.0.0/8 accept", "ip saddr 192.0.2.1 drop", true)]
    [InlineData("ip saddr 10.0.0.0/8 accept", "ip saddr != 10.0.0.0/8 drop", true)]
    [InlineData("ip saddr 10.0.0.0/8 accept", "ip daddr 192.0.2.1 drop", false)]
    [InlineData("ip saddr 10.0.0.0/8 accept", "ip6 saddr 2001:db8::/32 drop", true)]
    [InlineData("ip6 saddr ::/0 accept", "ip6 saddr 2001:db8::/32 drop", false)]
    [InlineData("ct state new accept", "ct state established,related drop", true)]
    [InlineData("ct state { new, related } accept", "ct state established,related drop", false)]
    [InlineData("iifname \"eth0\" accept", "iifname \"eth1\" drop", true)]
    [InlineData("iifname \"eth*\" accept", "iifname \"eth1\" drop", false)]
    [InlineData("iifname != \"eth*\" accept", "iifname \"eth1\" drop", true)]
    [InlineData("iifname { \"eth0\", \"lo\" } accept", "iifname \"wg0\" counter packets 3 bytes 4 drop", true)]
    [InlineData("iifname \"eth0\" accept", "iif \"eth1\" drop", false)]
    [InlineData("tcp dport 22 log prefix \"tcp dport 23 \" accept", "tcp dport 23 drop", true)]

    // Named sets are known to exist only; the rest of the rule is understood.
    [InlineData("ip saddr @admins tcp dport 22 accept", "tcp dport 23 drop", true)]
    [InlineData("ip saddr @admins accept", "ip saddr @others drop", false)]

    // Not understood, so never disjoint.
    [InlineData("tcp dport 22 meta skuid 0 accept", "tcp dport 23 drop", false)]
    [InlineData("tcp dport 22 limit rate 5/second accept", "tcp dport 23 drop", false)]
    [InlineData("tcp dport 22 meta mark set 0x1 accept", "tcp dport 23 drop", false)]
    [InlineData("tcp dport 22 ip daddr set 192.0.2.1", "tcp dport 23 drop", false)]
    [InlineData("tcp dport vmap { 22 : accept }", "tcp dport 23 drop", false)]
    [InlineData("ip saddr . tcp dport { 10.0.0.1 . 22 } accept", "tcp dport 23 drop", false)]
    [InlineData("ip saddr & 255.0.0.0 == 10.0.0.0 accept", "ip saddr 192.0.2.1 drop", false)]
    [InlineData("tcp dport 22 add @seen { ip saddr } accept", "tcp dport 23 drop", false)]
    [InlineData("log prefix \"x\" tcp dport 22 accept", "tcp dport 23 drop", false)]
    [InlineData("tcp dport 22 dnat to 192.0.2.1", "tcp dport 23 drop", false)]
    [InlineData("tcp dport 22 jump { accept; }", "tcp dport 23 drop", false)]
    [InlineData("tcp dport ssh accept", "tcp dport 23 drop", false)]
    [InlineData("tcp dport 22-x accept", "tcp dport 23 drop", false)]
    [InlineData("tcp dport { 22, 24", "tcp dport 23 drop", false)]
    [InlineData("", "tcp dport 23 drop", false)]
    public void Rules_of_nftables(string one, string other, bool isDisjoint)
    {
        RuleMatch first = RuleMatch.Of(Rule(TraceEngine.Nftables, "inet", one));
        RuleMatch second = RuleMatch.Of(Rule(TraceEngine.Nftables, "inet", other));
        Assert.Equal((isDisjoint, isDisjoint), (first.IsDisjoint(second), second.IsDisjoint(first)));
    }

    [Theory]
    [InlineData("-p tcp -m tcp --dport 22 -j ACCEPT", "-p tcp -m tcp --dport 23 -j DROP", true)]
    [InlineData("-p tcp -m tcp --dport 20:30 -j ACCEPT", "-p tcp -m tcp --dport 23 -j DROP", false)]
    [InlineData("-p tcp -m multiport --dports 22,80:90 -j ACCEPT", "-p tcp -m tcp --dport 23 -j DROP", true)]
    [InlineData("-p tcp -m tcp ! --dport 22 -j ACCEPT", "-p tcp -m tcp --dport 22 -j DROP", true)]
    [InlineData("-s 10.0.0.0/8 -j ACCEPT", "! -s 10.0.0.0/8 -j DROP", true)]
    [InlineData("-s 10.0.0.0/8 -j ACCEPT", "-d 192.0.2.0/24 -j DROP", false)]
    [InlineData("-i eth+ -j ACCEPT", "-i lo -j DROP", true)]
    [InlineData("-i eth+ -j ACCEPT", "-i eth0 -j DROP", false)]
    [InlineData("-m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT", "-m state --state NEW -j DROP", true)]
    [InlineData("-p icmp -m icmp --icmp-type 8 -j ACCEPT", "-p icmp -m icmp --icmp-type 0 -j DROP", true)]
    [InlineData("-p tcp -m tcp --dport 22 -m comment --comment \"--dport 23\" -j ACCEPT", "-p tcp -m tcp --dport 23 -j DROP", true)]
    [InlineData("-p tcp -m tcp --dport 22 -j LOG --log-prefix x", "-p tcp -m tcp --dport 23 -j DROP", true)]
    [InlineData("-p tcp -m tcp --dport 22 -j MARK --set-xmark 0x1/0xffffffff", "-p tcp -m tcp --dport 23 -j DROP", false)]
    [InlineData("-p tcp -m tcp --dport 22 -m limit --limit 5/sec -j ACCEPT", "-p tcp -m tcp --dport 23 -j DROP", false)]
    [InlineData("-m conntrack --ctstate DNAT -j ACCEPT", "-m conntrack --ctstate NEW -j DROP", false)]
    [InlineData("-s 10.0.0.0/255.0.255.0 -j ACCEPT", "-s 192.0.2.1/32 -j DROP", false)]
    [InlineData("-p icmp -m icmp --icmp-type 3/1 -j ACCEPT", "-p icmp -m icmp --icmp-type 8 -j DROP", false)]
    public void Rules_of_iptables(string one, string other, bool isDisjoint)
    {
        RuleMatch first = RuleMatch.Of(Rule(TraceEngine.Iptables, "ip", one));
        RuleMatch second = RuleMatch.Of(Rule(TraceEngine.Iptables, "ip", other));
        Assert.Equal((isDisjoint, isDisjoint), (first.IsDisjoint(second), second.IsDisjoint(first)));
    }

    private static FirewallRule Rule(TraceEngine engine, string family, string text) =>
        new() { Engine = engine, Family = family, Table = "filter", Chain = "input", Position = 1, Text = text, Verdict = "accept" };
}
