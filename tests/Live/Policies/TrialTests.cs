using Conntracker.Tests.Live.Support;
using Xunit;

namespace Conntracker.Tests.Live.Policies;

/// <summary>What users would miss if it failed: the verdict of a ruleset that is not loaded, and the rule that decides.</summary>
public sealed class TrialTests : IDisposable
{
    private const string HostRules = """
        flush ruleset
        table inet filter {
            chain input {
                type filter hook input priority 0; policy drop;
                ct state established,related accept
                iif "lo" accept
                tcp dport 22 accept comment "ssh"
                udp dport 53 reject
                icmp type echo-request accept
                icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert, echo-request } accept
                jump services
            }
            chain services {
                tcp dport { 80, 443 } ip saddr 203.0.113.0/24 accept
            }
            chain output {
                type filter hook output priority 0; policy accept;
                tcp dport 25 meta skuid != 8 drop
            }
        }
        """;

    private const string Services = "inet filter services rule 1: tcp dport { 80, 443 } ip saddr 203.0.113.0/24 accept";

    private readonly TempDirectory _directory = new();

    [Theory]
    [InlineData("203.0.113.9", "192.0.2.10", FlowProtocol.Tcp, 22, FlowVerdict.Accepted, "inet filter input rule 3: tcp dport 22 accept", 7)]
    [InlineData("203.0.113.9", "192.0.2.10", FlowProtocol.Tcp, 23, FlowVerdict.Dropped, "inet filter input policy drop", null)]
    [InlineData("203.0.113.9", "192.0.2.10", FlowProtocol.Udp, 53, FlowVerdict.Rejected, "inet filter input rule 4: udp dport 53 reject", 8)]
    [InlineData("203.0.113.9", "192.0.2.10", FlowProtocol.Tcp, 443, FlowVerdict.Accepted, Services, 14)]
    [InlineData("203.0.114.9", "192.0.2.10", FlowProtocol.Tcp, 443, FlowVerdict.Dropped, "inet filter input policy drop", null)]
    [InlineData("2001:db8:9::1", "2001:db8::10", FlowProtocol.Tcp, 22, FlowVerdict.Accepted, "inet filter input rule 3: tcp dport 22 accept", 7)]
    [InlineData("192.0.2.10", "203.0.113.9", FlowProtocol.Tcp, 443, FlowVerdict.Accepted, "inet filter output policy accept", null)]
    [InlineData("192.0.2.10", "203.0.113.9", FlowProtocol.Tcp, 25, FlowVerdict.Dropped, "inet filter output rule 1: tcp dport 25 meta skuid != 8 drop", 18)]
    [InlineData("127.0.0.1", "127.0.0.1", FlowProtocol.Tcp, 631, FlowVerdict.Accepted, "inet filter input rule 2: iif \"lo\" accept", 6)]
    public void A_flow_gets_the_verdict_of_the_kernel_and_the_rule_with_its_line(
        string source, string destination, FlowProtocol protocol, int port, FlowVerdict verdict, string rule, int? line)
    {
        using FirewallTrial trial = Start(TrialHosts.Host(), File("fw.nft", HostRules));

        FlowTest test = trial.Test(TestFlows.Of(protocol, source, destination, (ushort)port));

        Assert.Equal((verdict, rule, line), (test.Verdict, test.Rule?.ToString(), test.Rule?.Line));
        Assert.Null(test.Reason);
        Assert.Equal(verdict == FlowVerdict.Accepted ? FlowVerdict.Accepted : FlowVerdict.Unknown, test.ReplyVerdict);
        Assert.Equal(FlowTestDependency.None, test.DependsOn);
    }

    [Fact]
    public void A_ruleset_that_drops_the_answer_does_not_pass()
    {
        const string Rules = """
            table inet f {
                chain in { type filter hook input priority 0; policy drop; }
                chain out { type filter hook output priority 0; accept; }
            }
            """;
        using FirewallTrial trial = Start(TrialHosts.Host(), File("fw.nft", Rules));

        FlowTest test = trial.Test(TestFlows.Of(FlowProtocol.Tcp, "192.0.2.10", "203.0.113.9", 443));

        Assert.Equal((FlowVerdict.Accepted, FlowVerdict.Dropped, "inet f in policy drop"), (test.Verdict, test.ReplyVerdict, test.ReplyRule?.ToString()));
    }

    [Fact]
    public void A_router_shows_what_NAT_makes_of_a_flow_and_that_the_answer_comes_back()
    {
        const string Rules = """
            table ip nat {
                chain pre { type nat hook prerouting priority -100; iifname "wan0" tcp dport 8080 dnat to 10.0.0.80:80; }
                chain post { type nat hook postrouting priority 100; oifname "wan0" masquerade; }
            }
            table inet filter {
                chain forward {
                    type filter hook forward priority 0; policy drop;
                    ct state established,related accept
                    iifname "lan0" accept
                    ct status dnat accept
                }
            }
            """;
        using FirewallTrial trial = Start(TrialHosts.Router(), File("fw.nft", Rules));

        FlowTest client = trial.Test(TestFlows.Of(FlowProtocol.Tcp, "10.0.0.7", "203.0.113.9", 443));
        FlowTest server = trial.Test(TestFlows.Of(FlowProtocol.Tcp, "203.0.113.9", "198.51.100.2", 8080));
        FlowTest other = trial.Test(TestFlows.Of(FlowProtocol.Tcp, "203.0.113.9", "10.0.0.80", 22));

        Assert.Equal((FlowVerdict.Accepted, FlowVerdict.Accepted, null), (client.Verdict, client.ReplyVerdict, client.Reason));
        Assert.Equal(("198.51.100.2", "203.0.113.9"), (client.Translated?.SrcAddress.ToString(), client.Translated?.DstAddress.ToString()));
        Assert.Equal((FlowVerdict.Accepted, FlowVerdict.Accepted, null), (server.Verdict, server.ReplyVerdict, server.Reason));
        Assert.Equal(("10.0.0.80", (ushort?)80), (server.Translated?.DstAddress.ToString(), server.Translated?.DstPort));
        Assert.Equal((FlowVerdict.Dropped, "inet filter forward policy drop"), (other.Verdict, other.Rule?.ToString()));
    }

    [Fact]
    public void Rules_of_iptables_legacy_decide_with_their_positions_also_where_the_kernel_reports_a_return()
    {
        const string Rules = """
            *filter
            :INPUT DROP [0:0]
            :FORWARD ACCEPT [0:0]
            :OUTPUT ACCEPT [0:0]
            :LOGDROP - [0:0]
            -A INPUT -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT
            -A INPUT -p tcp -m tcp --dport 22 -j ACCEPT
            -A INPUT -p tcp -m tcp --dport 6666 -j LOGDROP
            -A LOGDROP -m comment --comment "first"
            -A LOGDROP -j DROP
            COMMIT

            """;
        using FirewallTrial trial = Start(TrialHosts.Host(), File("rules.v4", Rules));

        FlowTest[] tests = [.. trial.Test([
            TestFlows.Of(FlowProtocol.Tcp, "203.0.113.9", "192.0.2.10", 22), TestFlows.Of(FlowProtocol.Tcp, "203.0.113.9", "192.0.2.10", 6666),
            TestFlows.Of(FlowProtocol.Tcp, "203.0.113.9", "192.0.2.10", 80)])];

        Assert.Equal([FlowVerdict.Accepted, FlowVerdict.Dropped, FlowVerdict.Dropped], tests.Select(each => each.Verdict));
        Assert.Equal(
            ["ip filter INPUT rule 2: -p tcp -m tcp --dport 22 -j ACCEPT", "ip filter LOGDROP rule 2: -j DROP", "ip filter INPUT policy drop"],
            tests.Select(each => each.Rule?.ToString()));
        Assert.Equal([7, 10, null], tests.Select(each => each.Rule?.Line));
        Assert.Equal(FlowVerdict.Accepted, tests[0].ReplyVerdict);
    }

    [Fact]
    public void Without_a_rule_the_next_one_decides_and_positions_stay_those_of_the_file()
    {
        RulesetSource source = File("fw.nft", HostRules);
        FirewallRule ssh;
        using (FirewallTrial trial = Start(TrialHosts.Host(), source))
        {
            ssh = Assert.Single(trial.Rules, each => each.Comment == "ssh");
        }

        FirewallTrialOptions options = new() { Host = TrialHosts.Host(), Rulesets = [source], Without = [ssh], Program = CommandLine.Program };
        using FirewallTrial without = FirewallTrial.Start(options);

        Assert.Equal("inet filter input policy drop", without.Test(TestFlows.Of(FlowProtocol.Tcp, "203.0.113.9", "192.0.2.10", 22)).Rule?.ToString());
        FlowTest dns = without.Test(TestFlows.Of(FlowProtocol.Udp, "203.0.113.9", "192.0.2.10", 53));
        Assert.Equal("inet filter input rule 4: udp dport 53 reject", dns.Rule?.ToString());
    }

    [Fact]
    public void A_verdict_that_depends_on_the_rate_says_so_and_others_do_not()
    {
        const string Rules = """
            table inet f {
                chain in {
                    type filter hook input priority 0; policy drop;
                    tcp dport 22 accept
                    icmp type echo-request limit rate 5/second accept
                    udp dport 53 accept
                }
            }
            """;
        using FirewallTrial trial = Start(TrialHosts.Host(), File("fw.nft", Rules));

        Assert.Equal(FlowTestDependency.Rate, trial.Test(TestFlows.Of(FlowProtocol.Icmp, "203.0.113.9", "192.0.2.10", 0)).DependsOn);
        Assert.Equal(FlowTestDependency.None, trial.Test(TestFlows.Of(FlowProtocol.Udp, "203.0.113.9", "192.0.2.10", 53)).DependsOn);
        Assert.Equal(FlowTestDependency.None, trial.Test(TestFlows.Of(FlowProtocol.Tcp, "203.0.113.9", "192.0.2.10", 22)).DependsOn);
    }

    [Fact]
    public void A_ruleset_that_does_not_load_is_an_error_with_the_loaders_own_message_and_line()
    {
        RulesetSource source = File("fw.nft", "table inet filter {\n  chain input {\n    tcp dport sshh accept\n  }\n}\n");

        ConntrackException error = Assert.Throws<ConntrackException>(() => Start(TrialHosts.Host(), source));

        Assert.Equal(ConntrackErrorReason.RulesetInvalid, error.Reason);
        Assert.Contains($"{source.Path}:3:", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Ten_thousand_flows_are_tested_each_as_the_first_packet_of_its_connection()
    {
        using FirewallTrial trial = Start(TrialHosts.Host(), File("fw.nft", HostRules));
        Flow[] flows = [.. Enumerable.Range(0, 10_000).Select(i =>
            TestFlows.Of(FlowProtocol.Tcp, $"203.0.113.{i % 250}", "192.0.2.10", (ushort)(i % 2 == 0 ? 22 : 23), (ushort)(1024 + (i % 5))))];

        FlowTest[] tests = [.. trial.Test(flows)];

        Assert.Equal(5_000, tests.Count(each => each is { Verdict: FlowVerdict.Accepted, ReplyVerdict: FlowVerdict.Accepted, Rule.Position: 3 }));
        Assert.Equal(5_000, tests.Count(each => each is { Verdict: FlowVerdict.Dropped, Rule.Type: TraceStepType.Policy }));
    }

    public void Dispose() => _directory.Dispose();

    private RulesetSource File(string name, string text)
    {
        string path = Path.Combine(_directory.Path, name);
        System.IO.File.WriteAllText(path, text);
        return RulesetSource.FromFile(path);
    }

    private static FirewallTrial Start(FirewallHost host, params RulesetSource[] rulesets) =>
        FirewallTrial.Start(new FirewallTrialOptions { Host = host, Rulesets = rulesets, Program = CommandLine.Program });
}
