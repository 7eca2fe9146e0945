using Conntracker.Core.Rulesets;
using Xunit;

namespace Conntracker.Tests.Unit;

public sealed class RuleDependencyTests
{
    [Theory]
    [InlineData("icmp type echo-request limit rate 5/second accept", FlowTestDependency.Rate)]
    [InlineData("tcp dport 22 ct count over 10 drop", FlowTestDependency.State)]
    [InlineData("tcp dport 22 update @seen { ip saddr timeout 1m limit rate 1/minute } accept", FlowTestDependency.State | FlowTestDependency.Rate)]
    [InlineData("tcp dport 25 queue to 1", FlowTestDependency.UserSpace)]
    [InlineData("numgen random mod 2 vmap { 0 : accept, 1 : drop }", FlowTestDependency.Chance)]
    [InlineData("meta hour \"08:00\"-\"17:00\" accept", FlowTestDependency.Time)]
    [InlineData("tcp dport 22 log prefix \"limit rate queue\" accept", FlowTestDependency.None)]
    [InlineData("ct state established,related accept", FlowTestDependency.None)]
    [InlineData("ip saddr @limits drop", FlowTestDependency.None)]
    public void A_rule_of_nftables_says_what_its_verdict_depends_on(string text, FlowTestDependency expected) =>
        Assert.Equal(expected, RuleDependencies.Of(TraceEngine.Nftables, text));

    [Theory]
    [InlineData("-p tcp -m limit --limit 5/sec -j ACCEPT", FlowTestDependency.Rate)]
    [InlineData("-p tcp -m recent --update --seconds 60 --name ssh --rsource -j DROP", FlowTestDependency.State)]
    [InlineData("-p tcp -j NFQUEUE --queue-num 0", FlowTestDependency.UserSpace)]
    [InlineData("-m statistic --mode random --probability 0.5 -j DROP", FlowTestDependency.Chance)]
    [InlineData("-m time --timestart 08:00:00 -j ACCEPT", FlowTestDependency.Time)]
    [InlineData("-p tcp -m comment --comment \"-m limit\" -j ACCEPT", FlowTestDependency.None)]
    public void A_rule_of_iptables_says_what_its_verdict_depends_on(string text, FlowTestDependency expected) =>
        Assert.Equal(expected, RuleDependencies.Of(TraceEngine.Iptables, text));

    [Theory]
    [InlineData(TraceEngine.Nftables, "icmp type echo-request limit rate 5/second accept", FlowProtocol.Tcp, true)]
    [InlineData(TraceEngine.Nftables, "meta l4proto { tcp, udp } limit rate 5/second accept", FlowProtocol.Icmp, false)]
    [InlineData(TraceEngine.Nftables, "tcp dport 22 limit rate 5/second accept", FlowProtocol.Tcp, false)]
    [InlineData(TraceEngine.Nftables, "limit rate 5/second accept", FlowProtocol.Tcp, false)]
    [InlineData(TraceEngine.Iptables, "-s 10.0.0.1/32 -p udp -m limit --limit 5/sec -j ACCEPT", FlowProtocol.Tcp, true)]
    [InlineData(TraceEngine.Iptables, "! -p udp -m limit --limit 5/sec -j ACCEPT", FlowProtocol.Tcp, false)]
    public void A_rule_for_another_protocol_cannot_concern_a_flow(TraceEngine engine, string text, FlowProtocol protocol, bool expected) =>
        Assert.Equal(expected, RuleDependencies.IsForOtherProtocol(engine, text, protocol));
}
