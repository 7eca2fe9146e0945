using System.Net;
using Xunit;
using static Conntracker.Tests.Unit.Policies.Suggestions.PolicyFlow;

namespace Conntracker.Tests.Unit.Policies.Suggestions;

/// <summary>Which rules flows give.</summary>
public class FirewallPolicyTests
{
    private const string Own = "192.0.2.1";

    [Fact]
    public void Clients_of_a_service_are_one_rule_without_their_ports()
    {
        FirewallPolicy policy = Policy(
            Of(FlowDirection.In, FlowProtocol.Tcp, "198.51.100.7", Own, 22, clientPort: 1),
            Of(FlowDirection.In, FlowProtocol.Tcp, "198.51.100.7", Own, 22, clientPort: 2).With(each => each.Connections = 5),
            In("198.51.100.9", Own, 22));
        FirewallPolicyRule rule = Assert.Single(policy.Rules);
        Assert.Equal(["In: ip saddr { 198.51.100.7, 198.51.100.9 } tcp dport 22 accept"], policy.Rules());
        Assert.Equal((3L, 7L, 0d), (rule.Flows, rule.Connections, rule.Widening));
        Assert.Equal((Noon, Noon.AddMinutes(5)), (rule.FirstSeen, rule.LastSeen));
    }

    [Fact]
    public void Services_of_the_same_hosts_are_one_rule_with_intervals() => Assert.Equal(
        ["Out: ip daddr 10.0.0.1 tcp dport { 80, 443, 8000-8002 } accept"],
        Policy([.. new[] { 443, 80, 8000, 8001, 8002 }.Select(port => Out(Own, "10.0.0.1", port))]).Rules());

    [Theory]
    [InlineData(0, 4, "{ 10.0.0.1, 10.0.0.2, 10.0.0.3, 10.0.0.6 }", 0)]
    [InlineData(4, 4, "10.0.0.0/29", 4)]
    [InlineData(3, 4, "{ 10.0.0.1, 10.0.0.2, 10.0.0.3, 10.0.0.6 }", 0)]
    [InlineData(256, 3, "{ 10.0.0.1, 10.0.0.2, 10.0.0.3 }", 0)]
    public void Hosts_are_joined_as_far_as_the_widening_allows(double maximum, int hosts, string sources, double widening)
    {
        int[] numbers = [1, 2, 3, 6];
        FirewallPolicy policy =
            Policy(new FirewallPolicyOptions { MaximumWidening = maximum }, [.. numbers.Take(hosts).Select(each => In($"10.0.0.{each}", Own, 22))]);
        Assert.Equal([$"In: ip saddr {sources} tcp dport 22 accept"], policy.Rules());
        Assert.Equal(widening, policy.Rules[0].Widening);
    }

    [Fact]
    public void Neighbours_that_were_all_seen_are_a_prefix_that_widens_nothing() => Assert.Equal(
        ["In: ip saddr 10.0.0.0/29 tcp dport 22 accept"],
        Policy(new FirewallPolicyOptions { MaximumWidening = 0 }, [.. Enumerable.Range(0, 8).Select(each => In($"10.0.0.{each}", Own, 22))]).Rules());

    [Fact]
    public void Networks_of_the_user_take_the_place_of_their_hosts_and_say_how_much_that_adds()
    {
        FirewallPolicyOptions options =
            new() { MaximumWidening = 0, Prefixes = [AddressRange.Parse("10.0.0.0/8"), AddressRange.Parse("10.1.0.0/16"), AddressRange.Parse("0.0.0.0/0")] };
        FirewallPolicy policy =
            Policy(options, In("10.1.2.3", Own, 22), In("203.0.113.5", Own, 443).With(each => each.Connections = 9), Out(Own, "8.8.8.8", 53, FlowProtocol.Udp));
        Assert.Equal(
            ["In: meta nfproto ipv4 tcp dport 443 accept", "In: ip saddr 10.1.0.0/16 tcp dport 22 accept", "Out: meta nfproto ipv4 udp dport 53 accept"],
            policy.Rules());
        Assert.Equal([4294967295d, 65535d, 4294967295d], policy.Rules.Select(each => each.Widening));
    }

    [Fact]
    public void A_service_for_anybody_of_both_families_is_one_rule() => Assert.Equal(
        ["In: tcp dport 443 accept"],
        Policy(
            new FirewallPolicyOptions { Prefixes = [AddressRange.Parse("0.0.0.0/0"), AddressRange.Parse("::/0")] },
            In("203.0.113.5", Own, 443),
            In("2001:db8::5", "2001:db8::1", 443)).Rules());

    [Fact]
    public void The_internet_of_folded_flows_is_anybody() => Assert.Equal(
        ["In: meta nfproto ipv4 tcp dport 443 accept", "Out: meta nfproto ipv4 tcp dport 443 accept"],
        Policy(
            In("0.0.0.0", Own, 443).With(each => (each.Folding, each.SrcPort) = (FlowFolding.Internet, null)),
            Out(Own, "0.0.0.0", 443).With(each => (each.Folding, each.SrcPort) = (FlowFolding.Internet, null))).Rules());

    [Fact]
    public void A_subnet_that_flows_were_folded_to_is_the_source() => Assert.Equal(
        ["In: ip saddr 10.2.3.0/24 tcp dport 22 accept"],
        Policy(In("10.2.3.0", Own, 22).With(each => each.Folding = FlowFolding.Subnet)).Rules());

    [Fact]
    public void Rules_match_the_destination_that_NAT_made()
    {
        Flow published = Forward("203.0.113.5", Own, 8080)
            .With(each => (each.ReplySrcAddress, each.ReplySrcPort, each.IsNat) = (IPAddress.Parse("172.17.0.2"), 80, true));
        Flow redirected = In("203.0.113.5", Own, 80).With(each => (each.ReplySrcPort, each.IsNat) = (3128, true));
        Flow masqueraded = Forward("172.17.0.2", "203.0.113.9", 443).With(each => (each.ReplyDstAddress, each.IsNat) = (IPAddress.Parse(Own), true));
        Assert.Equal(
            [
                "In: ip saddr 203.0.113.5 tcp dport 3128 accept",
                "Forward: ip saddr 203.0.113.5 ip daddr 172.17.0.2 tcp dport 80 accept",
                "Forward: ip saddr 172.17.0.2 ip daddr 203.0.113.9 tcp dport 443 accept",
            ],
            Policy(published, redirected, masqueraded).Rules());
    }

    [Fact]
    public void A_service_of_one_of_several_own_addresses_names_it_unless_the_others_may_have_it_too()
    {
        Flow[] flows = [In("10.0.0.1", Own, 22), Out("192.0.2.2", "10.0.0.9", 443)];
        Assert.Equal("In: ip saddr 10.0.0.1 ip daddr 192.0.2.1 tcp dport 22 accept",
            Policy(new FirewallPolicyOptions { MaximumWidening = 0 }, flows).Rules()[0]);
        FirewallPolicy wider = Policy(new FirewallPolicyOptions { MaximumWidening = 1 }, flows);
        Assert.Equal(("In: ip saddr 10.0.0.1 tcp dport 22 accept", 1d), (wider.Rules()[0], wider.Rules[0].Widening));
    }

    [Fact]
    public void Multicast_comes_before_the_rule_that_drops_the_rest_of_it()
    {
        string text = Policy(In("10.0.0.1", "224.0.0.251", 5353, FlowProtocol.Udp).With(each => each.Confirmed = false), In("10.0.0.1", Own, 22)).Ruleset;
        int multicast = text.IndexOf("ip saddr 10.0.0.1 ip daddr 224.0.0.251 udp dport 5353 accept", StringComparison.Ordinal);
        int rest = text.IndexOf("fib daddr type != local drop", StringComparison.Ordinal);
        Assert.InRange(multicast, 1, rest);
        Assert.True(text.IndexOf("tcp dport 22", StringComparison.Ordinal) > rest);
    }

    [Fact]
    public void A_DHCP_client_sends_and_is_answered_also_from_no_address() => Assert.Equal(
        ["In: meta nfproto ipv4 udp sport 67 udp dport 68 accept", "Out: meta nfproto ipv4 udp sport 68 udp dport 67 accept"],
        Policy(Of(FlowDirection.In, FlowProtocol.Udp, "0.0.0.0", "255.255.255.255", 67, clientPort: 68).With(each => each.Confirmed = false)).Rules());

    [Fact]
    public void A_DHCP_server_is_asked_and_answers()
    {
        FirewallPolicy policy = Policy(
            Of(FlowDirection.In, FlowProtocol.Udp, "0.0.0.0", "255.255.255.255", 67, clientPort: 68).With(each => each.Confirmed = false),
            Of(FlowDirection.Out, FlowProtocol.Udp, Own, "255.255.255.255", 68, clientPort: 67).With(each => each.Confirmed = false));
        Assert.Equal(["In: meta nfproto ipv4 udp sport 68 udp dport 67 accept", "Out: meta nfproto ipv4 udp sport 67 udp dport 68 accept"], policy.Rules());
        Assert.Empty(policy.Omitted);
    }

    [Fact]
    public void Protocols_without_ports_and_ICMP_queries_have_their_rules() => Assert.Equal(
        [
            "In: ip saddr 10.0.0.1 icmp type echo-request accept",
            "In: ip saddr 10.0.0.1 meta l4proto 47 accept",
            "Out: ip6 daddr 2001:db8::9 icmpv6 type echo-request accept",
        ],
        Policy(
            Of(FlowDirection.In, FlowProtocol.Icmp, "10.0.0.1", Own, 8),
            Of(FlowDirection.In, FlowProtocol.Gre, "10.0.0.1", Own, 0),
            Of(FlowDirection.Out, FlowProtocol.IcmpV6, "2001:db8::1", "2001:db8::9", 128)).Rules());

    [Fact]
    public void Each_flow_that_is_not_accepted_is_listed_with_its_reason()
    {
        Flow dropped = In("10.0.0.1", Own, 22).With(each => each.Verdict = FlowVerdict.Dropped);
        Flow scan = In("10.0.0.1", Own, 23)
            .With(each => (each.Confirmed, each.Verdict, each.VerdictRule) = (false, FlowVerdict.Accepted, "inet filter input policy accept"));
        Flow unknown = Of(FlowDirection.Unknown, FlowProtocol.Tcp, "10.0.0.1", "10.0.0.2", 22);
        Flow folded = In("0.0.0.0", Own, 0).With(each => (each.Folding, each.DstPort) = (FlowFolding.Protocol, null));
        Flow telnet = In("10.0.0.1", Own, 2323);
        Flow once = In("10.0.0.1", Own, 80);
        Flow hostile = In("10.0.0.1", Own, 81).With(each => each.InInterface = "a\" accept");
        FirewallPolicyOptions options = new() { Exclude = [FlowExclusion.Parse("tcp/2300-2399")], MinimumConnections = 2 };
        FirewallPolicy policy = Policy(options, dropped, scan, unknown, folded, telnet, once, hostile);
        Assert.Empty(policy.Rules);
        Assert.Equal(
            [
                (dropped, FlowOmissionReason.Denied), (scan, FlowOmissionReason.Unanswered), (unknown, FlowOmissionReason.DirectionUnknown),
                (folded, FlowOmissionReason.Folded), (telnet, FlowOmissionReason.Excluded), (hostile, FlowOmissionReason.InterfaceName),
                (once, FlowOmissionReason.TooFewConnections),
            ],
            policy.Omitted.Select(each => (each.Flow, each.Reason)));
        Assert.Contains("# Not accepted although seen: 1 dropped or rejected, 1 never answered,", policy.Ruleset, StringComparison.Ordinal);
    }

    [Fact]
    public void UDP_without_an_answer_is_accepted_where_this_host_wants_it()
    {
        Flow syslog = Out(Own, "10.0.0.9", 514, FlowProtocol.Udp);
        Flow scan = In("10.0.0.1", Own, 161, FlowProtocol.Udp);
        Flow received = In("10.0.0.1", Own, 514, FlowProtocol.Udp).With(each => each.ReplyProcess = new FlowProcess { Id = 1, Name = "rsyslogd" });
        Flow ruled = In("10.0.0.1", Own, 515, FlowProtocol.Udp)
            .With(each => (each.Verdict, each.VerdictRule) = (FlowVerdict.Accepted, "inet filter input #3: udp dport 515 accept"));
        FirewallPolicy policy = Policy([.. new[] { syslog, scan, received, ruled }.Select(each => each.With(flow => flow.Confirmed = false))]);
        Assert.Equal([scan], policy.Omitted.Select(each => each.Flow));
        Assert.Equal(3, policy.Flows);
    }

    [Fact]
    public void Own_addresses_give_flows_of_a_text_log_their_direction() => Assert.Equal(
        ["In: ip saddr 10.0.0.1 tcp dport 22 accept", "Out: ip daddr 10.0.0.2 tcp dport 443 accept"],
        Policy(
            new FirewallPolicyOptions { OwnAddresses = [IPAddress.Parse(Own)] },
            Of(FlowDirection.Unknown, FlowProtocol.Tcp, "10.0.0.1", Own, 22),
            Of(FlowDirection.Unknown, FlowProtocol.Tcp, Own, "10.0.0.2", 443)).Rules());

    [Theory]
    [InlineData("10.0.0.0/8", true)]
    [InlineData("10.0.0.1", true)]
    [InlineData("192.0.2.1", true)]
    [InlineData("10.1.0.0/16", false)]
    [InlineData("22", true)]
    [InlineData("20-23", true)]
    [InlineData("tcp", true)]
    [InlineData("6/22", true)]
    [InlineData("udp/22", false)]
    [InlineData("udp", false)]
    public void An_exclusion_is_an_address_a_port_a_protocol_or_a_port_of_one(string text, bool matches) =>
        Assert.Equal(matches, FlowExclusion.Parse(text).Matches(In("10.0.0.1", Own, 22)));

    [Theory]
    [InlineData("")]
    [InlineData("smtp")]
    [InlineData("tcp/")]
    [InlineData("tcp/99999")]
    [InlineData("10.0.0.0/33")]
    [InlineData("tcp,udp")]
    public void Anything_else_is_no_exclusion(string text) => Assert.Contains(
        $"'{text}' does not say what to exclude", Assert.Throws<FormatException>(() => FlowExclusion.Parse(text)).Message, StringComparison.Ordinal);

    [Fact]
    public void Most_used_rules_come_first()
    {
        FirewallPolicy policy = Policy(In("10.0.0.1", Own, 22), In("10.0.0.2", Own, 443).With(each => each.Connections = 100),
            In("10.0.0.3", Own, 80).With(each => each.Connections = 10));
        Assert.Equal([443, 80, 22], policy.Rules.Select(each => each.Ports[0].First));
    }

    [Fact]
    public void Numbers_that_cannot_be_are_refused()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => Policy(new FirewallPolicyOptions { MaximumWidening = -1 }));
        Assert.Throws<ArgumentOutOfRangeException>(() => Policy(new FirewallPolicyOptions { MaximumWidening = double.NaN }));
        Assert.Throws<ArgumentOutOfRangeException>(() => Policy(new FirewallPolicyOptions { MinimumConnections = 0 }));
    }
}
