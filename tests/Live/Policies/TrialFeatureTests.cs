using Conntracker.Tests.Live.Support;
using Xunit;

namespace Conntracker.Tests.Live.Policies;

/// <summary>What users would miss if it failed: every kind of rule has the kernel's verdict, and what the kernel does not say is unknown.</summary>
public sealed class TrialFeatureTests
{
    private const string Client = "203.0.113.9";
    private const string Own = "192.0.2.10";

    [Fact]
    public void Marks_users_and_interfaces_of_a_flow_are_what_its_maker_says()
    {
        using FirewallTrial trial = Start("""
            table inet f {
                chain in { type filter hook input priority 0; policy drop; meta mark 0x2a tcp dport 22 accept; iifname "eth*" tcp dport 80 accept; }
                chain out { type filter hook output priority 0; policy drop; meta skuid 8 tcp dport 25 accept; meta mark 7 tcp dport 26 accept; }
            }
            """);

        Assert.Equal(FlowVerdict.Accepted, Verdict(trial, Made(Client, Own, 22, mark: 0x2a)));
        Assert.Equal(FlowVerdict.Dropped, Verdict(trial, Made(Client, Own, 22)));
        Assert.Equal(FlowVerdict.Accepted, Verdict(trial, Made(Client, Own, 80, inInterface: "eth0")));
        Assert.Equal(FlowVerdict.Accepted, Verdict(trial, Made(Own, Client, 25, user: 8)));
        Assert.Equal(FlowVerdict.Dropped, Verdict(trial, Made(Own, Client, 25, user: 9)));
        Assert.Equal(FlowVerdict.Accepted, Verdict(trial, Made(Own, Client, 26, mark: 7)));
        FlowTest unknown = trial.Test(Made(Client, Own, 80, inInterface: "wan7"));
        Assert.Equal((FlowVerdict.Unknown, "the host has no interface wan7"), (unknown.Verdict, unknown.Reason));
    }

    [Fact]
    public void A_packet_that_is_dropped_where_it_enters_the_interface_names_that_rule()
    {
        using FirewallTrial trial = Start("""
            table netdev early {
                chain eth { type filter hook ingress device "eth0" priority 0; policy accept; tcp dport 23 drop; }
            }
            """);

        FlowTest dropped = trial.Test(Made(Client, Own, 23));
        Assert.Equal((FlowVerdict.Dropped, "netdev early eth rule 1: tcp dport 23 drop"), (dropped.Verdict, dropped.Rule?.ToString()));
        Assert.Equal(FlowVerdict.Accepted, Verdict(trial, Made(Client, Own, 22)));
    }

    [Theory]
    [InlineData(FlowProtocol.Sctp)]
    [InlineData(FlowProtocol.Icmp)]
    [InlineData((FlowProtocol)47)]
    [InlineData((FlowProtocol)50)]
    public void Other_protocols_are_new_to_connection_tracking_and_their_answers_established(FlowProtocol protocol)
    {
        using FirewallTrial trial = Start($$"""
            table inet f {
                chain in { type filter hook input priority 0; policy drop; ct state new meta l4proto {{(int)protocol}} accept; }
                chain out { type filter hook output priority 0; policy drop; ct state established accept; }
            }
            """);

        FlowTest test = trial.Test(TestFlows.Of(protocol, Client, Own, 5000));

        Assert.Equal((FlowVerdict.Accepted, null), (test.Verdict, test.Reason));
        Assert.Equal(FlowVerdict.Accepted, test.ReplyVerdict);
    }

    [Fact]
    public void A_rejection_whose_answer_is_dropped_says_so()
    {
        using FirewallTrial trial = Start("""
            table inet f {
                chain in { type filter hook input priority 0; policy accept; tcp dport 23 reject with tcp reset; }
                chain out { type filter hook output priority 0; policy drop; }
            }
            """);

        FlowTest test = trial.Test(Made(Client, Own, 23));

        Assert.Equal(FlowVerdict.Rejected, test.Verdict);
        Assert.Contains("is dropped", test.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void A_packet_that_the_kernel_drops_without_a_rule_is_unknown_with_the_reason()
    {
        using FirewallTrial trial = Start("table inet f {\n}\n");

        FlowTest martian = trial.Test(Made("127.0.0.1", Own, 22, inInterface: "eth0"));
        FlowTest unroutable = FirewallTrialOf(TrialHosts.Host() with { Routes = [] }).Test(Made(Own, "198.51.100.7", 22));

        Assert.Equal(FlowVerdict.Unknown, martian.Verdict);
        Assert.Contains("outside the rules", martian.Reason, StringComparison.Ordinal);
        Assert.Equal((FlowVerdict.Unknown, "no route leads to 198.51.100.7"), (unroutable.Verdict, unroutable.Reason));
    }

    [Fact]
    public void A_ruleset_that_switches_tracing_off_gives_no_wrong_verdict()
    {
        using FirewallTrial trial = Start("""
            table inet f {
                chain in { type filter hook input priority 0; policy drop; tcp dport 23 meta nftrace set 0; tcp dport 23 accept; }
            }
            """);

        Assert.NotEqual(FlowVerdict.Dropped, Verdict(trial, Made(Client, Own, 23)));
        Assert.Equal(FlowVerdict.Dropped, Verdict(trial, Made(Client, Own, 24)));
    }

    [Fact]
    public void Tables_with_an_owner_and_a_flush_of_all_rules_do_not_leave_the_trial_without_rules()
    {
        using FirewallTrial trial = Start("""
            flush ruleset
            table inet f {
                flags owner
                chain in { type filter hook input priority 0; policy drop; }
            }
            """);

        Assert.Contains("owner", Assert.Single(trial.Notices), StringComparison.Ordinal);
        Assert.Equal(FlowVerdict.Dropped, Verdict(trial, Made(Client, Own, 24)));
    }

    [Fact]
    public void The_rules_of_the_host_are_the_same_before_during_and_after_a_trial()
    {
        using TestNamespace host = new();
        UserRules.Load(host);
        string before = UserRules.Show(host);

        host.Do(() =>
        {
            using FirewallTrial trial = Start("table inet f {\n}\n");
            Assert.Equal(FlowVerdict.Accepted, Verdict(trial, Made(Client, Own, 24)));
            Assert.Equal(before, UserRules.Show(host));
        });

        Assert.Equal(before, UserRules.Show(host));
    }

    private static FlowVerdict Verdict(FirewallTrial trial, Flow flow) => trial.Test(flow).Verdict;

    private static FirewallTrial Start(string rules) => FirewallTrialOf(TrialHosts.Host(), rules);

    private static FirewallTrial FirewallTrialOf(FirewallHost host, string rules = "") => FirewallTrial.Start(new FirewallTrialOptions
    {
        Host = host,
        Rulesets = [new RulesetSource { Format = RulesetFormat.Nftables, Text = rules }],
        Program = CommandLine.Program,
    });

    private static Flow Made(string source, string destination, ushort port, uint? mark = null, string? inInterface = null, uint? user = null)
    {
        Flow flow = TestFlows.Of(FlowProtocol.Tcp, source, destination, port);
        flow.PacketMark = mark;
        flow.InInterface = inInterface;
        flow.Process = user is uint id ? new FlowProcess { Id = 0, Name = "", RealUserId = id } : null;
        return flow;
    }
}
