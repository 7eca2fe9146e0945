using System.Net;
using Conntracker.Core.Tracing.Nftables;
using Xunit;

namespace Conntracker.Tests.Unit;

/// <summary>The commands that nft is given: what is traced, and that nothing of a user's table is touched.</summary>
public class TraceRulesTests
{
    private static readonly TimeSpan s_duration = TimeSpan.FromSeconds(30);

    [Fact]
    public void Everything_is_two_rules()
    {
        string commands = TraceRules.Begin("conntracker", TraceMode.Everything, s_duration, 1000);
        Assert.Equal(
            """
            add chain inet conntracker nat_prerouting { type filter hook prerouting priority -99; }
            add chain inet conntracker nat_output { type filter hook output priority -99; }
            add chain inet conntracker input { type filter hook input priority 2147483646; }
            add chain inet conntracker postrouting { type filter hook postrouting priority 2147483646; }
            add rule inet conntracker postrouting oifname "lo" accept
            add counter inet conntracker untraced
            add chain inet conntracker selected
            add chain inet conntracker prerouting { type filter hook prerouting priority -399; }
            add rule inet conntracker prerouting meta nftrace set 1 accept
            add chain inet conntracker output { type filter hook output priority -399; }
            add rule inet conntracker output meta nftrace set 1 accept

            """.ReplaceLineEndings("\n"),
            commands);
    }

    [Fact]
    public void Flows_are_traced_once_for_their_time_by_sets_that_the_kernel_empties()
    {
        string[] lines = TraceRules.Begin("conntracker_2", TraceMode.Flows, s_duration, 1000).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.All(lines, line => Assert.Matches("^add (chain|rule|set|counter) inet conntracker_2 ", line));
        Assert.Contains("add set inet conntracker_2 chosen4_ports { type ipv4_addr . ipv4_addr . inet_proto . inet_service . inet_service; flags timeout; " +
            "size 8192; }", lines);
        Assert.Contains("add set inet conntracker_2 traced6_icmp { typeof ip6 saddr . ip6 daddr . icmpv6 id; flags dynamic,timeout; timeout 30000ms; " +
            "size 1000; limit rate 20/second burst 100 packets; }", lines);
        Assert.Contains("add set inet conntracker_2 seen4_other { type ipv4_addr . ipv4_addr . inet_proto; flags dynamic,timeout; timeout 630000ms; " +
            "size 1000; }", lines);
        const string Key = "ip saddr . ip daddr . meta l4proto . th sport . th dport";
        Assert.Equal(
            [
                $"{Key} @chosen4_ports meta nftrace set 1 accept",
                $"{Key} @traced4_ports meta nftrace set 1 accept",
                "jump selected",
                $"{Key} @seen4_ports update @seen4_ports {{ {Key} }} accept",
                $"add @seen4_ports {{ {Key} }}",
                $"add @traced4_ports {{ {Key} }} meta nftrace set 1 accept",
                "counter name untraced",
            ],
            RulesOf(lines, "begin4_ports"));
        Assert.Equal(
            [
                "meta nfproto ipv4 meta l4proto { tcp, udp, udplite, sctp, dccp } goto begin4_ports",
                "meta nfproto ipv4 meta l4proto icmp goto begin4_icmp",
                "meta nfproto ipv4  goto begin4_other",
                "meta nfproto ipv6 meta l4proto { tcp, udp, udplite, sctp, dccp } goto begin6_ports",
                "meta nfproto ipv6 meta l4proto ipv6-icmp goto begin6_icmp",
                "meta nfproto ipv6  goto begin6_other",
            ],
            RulesOf(lines, "output"));
        Assert.Equal(RulesOf(lines, "output"), RulesOf(lines, "prerouting"));
    }

    [Fact]
    public void Without_a_mode_only_what_is_chosen_is_traced()
    {
        string[] lines = TraceRules.Begin("conntracker", TraceMode.None, s_duration, 1000).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(
            ["ip6 saddr . ip6 daddr . @th,32,16 @chosen6_icmp meta nftrace set 1 accept",
                "ip6 saddr . ip6 daddr . @th,32,16 @traced6_icmp meta nftrace set 1 accept", "jump selected"],
            RulesOf(lines, "begin6_icmp"));
        Assert.DoesNotContain(lines, line => line.Contains("prerouting meta nftrace", StringComparison.Ordinal));
    }

    [Fact]
    public void A_query_is_matched_in_both_directions_and_its_answers_behind_NAT()
    {
        FlowQuery query = new() { Protocols = [FlowProtocol.Tcp], SrcAddresses = [AddressRange.Parse("192.0.2.0/24")], DstPorts = [PortRange.Parse("443")] };
        string[] lines = TraceRules.Select("conntracker", [(query, s_duration)]).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        const string Reply = "meta nfproto ipv4 meta l4proto { 6 } meta l4proto { tcp, udp, udplite, sctp, dccp } ct direction original ct original ip " +
            "saddr 192.0.2.0/24 ct original proto-dst 443 "
            + "add @traced4_ports { ip daddr . ip saddr . meta l4proto . th dport . th sport timeout 30000ms }";
        Assert.Equal(
            [
                "flush chain inet conntracker selected",
                "flush chain inet conntracker input",
                "flush chain inet conntracker postrouting",
                "add rule inet conntracker selected meta nfproto ipv4 meta l4proto { 6 } ip saddr 192.0.2.0/24 th dport 443 meta nftrace set 1 accept",
                "add rule inet conntracker selected meta nfproto ipv4 meta l4proto { 6 } ip daddr 192.0.2.0/24 th sport 443 meta nftrace set 1 accept",
                $"add rule inet conntracker input {Reply}",
                $"add rule inet conntracker postrouting {Reply}",
                "add rule inet conntracker postrouting oifname \"lo\" accept",
            ],
            lines);
    }

    [Fact]
    public void No_query_leaves_the_chains_as_they_were_at_the_beginning() =>
        Assert.Equal(
            "flush chain inet t selected\nflush chain inet t input\nflush chain inet t postrouting\nadd rule inet t postrouting oifname \"lo\" accept\n",
            TraceRules.Select("t", []));

    [Theory]
    [InlineData("everything", "", "", "", 2)]
    [InlineData("a port asks for protocols that have ports", "", "", "53", 2)]
    [InlineData("addresses of one family", "10.0.0.0/8", "", "", 1)]
    [InlineData("each address with each port", "10.0.0.1,10.0.0.2", "", "53,80,443", 6)]
    [InlineData("each family with its own", "10.0.0.1,2001:db8::1", "", "", 2)]
    public void A_query_becomes_as_few_rules_as_it_can(string name, string src, string dst, string ports, int expected)
    {
        FlowQuery query = new() { SrcAddresses = Addresses(src), DstAddresses = Addresses(dst), DstPorts = Ports(ports) };
        Assert.True(TraceSelector.Rules(query).Count == 2 * expected, $"{name}: {string.Join("; ", TraceSelector.Rules(query))}");
        Assert.True(ports.Length == 0
            || TraceSelector.Rules(query).All(rule => rule.Contains("{ tcp, udp, udplite, sctp, dccp }", StringComparison.Ordinal)), name);
    }

    [Fact]
    public void What_nothing_can_match_and_what_would_be_too_many_rules_says_so()
    {
        Assert.Throws<ArgumentException>(() =>
            TraceSelector.Rules(new FlowQuery { SrcAddresses = Addresses("10.0.0.1"), DstAddresses = Addresses("2001:db8::1") }));
        Assert.Throws<ArgumentException>(() => TraceSelector.Rules(new FlowQuery { Protocols = [FlowProtocol.Icmp], DstPorts = Ports("53") }));
        string many = string.Join(',', Enumerable.Range(1, 300));
        Assert.Contains("300 rules",
            Assert.Throws<ArgumentException>(() => TraceSelector.Rules(new FlowQuery { SrcAddresses = Addresses("10.0.0.1"), DstPorts = Ports(many) }))
                .Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(FlowProtocol.Tcp, "192.0.2.2", "203.0.113.9", "198.51.100.2",
        "chosen4_ports { 192.0.2.2 . 203.0.113.9 . 6 . 40000 . 80 timeout 1500ms }|chosen4_ports { 198.51.100.2 . 192.0.2.2 . 6 . 80 . 40000 timeout 1500ms }")]
    [InlineData(FlowProtocol.Sctp, "2001:db8::1", "2001:db8::2", null, "chosen6_ports { 2001:db8::1 . 2001:db8::2 . 132 . 40000 . " +
        "80 timeout 1500ms }|chosen6_ports { 2001:db8::2 . 2001:db8::1 . 132 . 80 . 40000 timeout 1500ms }")]
    [InlineData(FlowProtocol.Icmp, "192.0.2.2", "203.0.113.9", null,
        "chosen4_icmp { 192.0.2.2 . 203.0.113.9 . 40000 timeout 1500ms }|chosen4_icmp { 203.0.113.9 . 192.0.2.2 . 40000 timeout 1500ms }")]
    [InlineData(FlowProtocol.Gre, "192.0.2.2", "203.0.113.9", null,
        "chosen4_other { 192.0.2.2 . 203.0.113.9 . 47 timeout 1500ms }|chosen4_other { 203.0.113.9 . 192.0.2.2 . 47 timeout 1500ms }")]
    [InlineData(FlowProtocol.Gre, "127.0.0.1", "127.0.0.1", null, "chosen4_other { 127.0.0.1 . 127.0.0.1 . 47 timeout 1500ms }")]
    public void A_chosen_flow_is_the_elements_of_both_its_tuples(FlowProtocol protocol, string src, string dst, string? replySrc, string expected)
    {
        using CollectorProbe probe = new();
        bool hasPorts = protocol is FlowProtocol.Tcp or FlowProtocol.Sctp;
        probe.Event(new Conn { Protocol = protocol, Src = src, Dst = dst, DstPort = hasPorts ? (ushort)80 : (ushort)0, ReplySrc = replySrc }.New());
        Assert.Equal(src, IPAddress.Parse(src).ToString());
        string[] lines = TraceRules.Choose("t", probe.Flow(), TimeSpan.FromSeconds(1.5)).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(expected.Split('|').Select(each => $"add element inet t {each}"), lines);
        string[] back = TraceRules.Unchoose("t", probe.Flow()).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(expected.Split('|').Select(each => $"delete element inet t {each.Replace(" timeout 1500ms", "", StringComparison.Ordinal)}"), back);
    }

    [Theory]
    [InlineData("prerouting", true, false)]
    [InlineData("output", true, false)]
    [InlineData("begin4_ports", true, false)]
    [InlineData("nat_prerouting", false, false)]
    [InlineData("nat_output", false, false)]
    [InlineData("input", false, true)]
    [InlineData("postrouting", false, true)]
    public void The_first_and_the_last_chain_of_a_packet_are_known_by_name(string chain, bool isFirst, bool isLast)
    {
        byte[] name = System.Text.Encoding.UTF8.GetBytes(chain);
        Assert.Equal((isFirst, isLast, false),
            (OwnChains.IsFirst(name), OwnChains.IsPassed(name, TraceStepType.Policy), OwnChains.IsPassed(name, TraceStepType.Rule)));
    }

    private static List<string> RulesOf(string[] lines, string chain)
    {
        string[] words = lines[0].Split(' ');
        string header = $"add rule inet {words[3]} {chain} ";
        return [.. lines.Where(line => line.StartsWith(header, StringComparison.Ordinal)).Select(line => line[header.Length..])];
    }

    private static List<AddressRange> Addresses(string text) => [.. text.Split(',', StringSplitOptions.RemoveEmptyEntries).Select(AddressRange.Parse)];

    private static List<PortRange> Ports(string text) => [.. text.Split(',', StringSplitOptions.RemoveEmptyEntries).Select(PortRange.Parse)];
}
