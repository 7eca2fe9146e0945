using System.Management.Automation;
using Conntracker.Tests.Module.Support;
using Xunit;

namespace Conntracker.Tests.Module;

/// <summary>Get-FirewallRule, and its rules as the input of Get-ConntrackFlow.</summary>
public sealed class GetFirewallRuleTests : ModuleTest
{
    private const string Rules = """
        table inet guard {
          chain input {
            type filter hook input priority filter; policy accept;
            ct state established accept
            tcp dport 22 drop comment "no ssh"
            jump services
          }
          chain services {
            udp dport 7 counter accept
          }
        }
        table ip nat {
          chain DOCKER {
            tcp dport 8080 dnat to 172.17.0.2
          }
        }
        """;

    [Fact]
    public void It_shows_the_rules_of_both_engines_with_their_policies_and_changes_none()
    {
        using TestNamespace host = new();
        host.LoadRules(Rules);
        host.Run("iptables-legacy", "-A", "INPUT", "-p", "tcp", "--dport", "23", "-j", "REJECT");
        string before = Traffic.RulesOf(host) + LegacyRules(host);

        Assert.Equal(
            [
                "Nftables inet guard input input 1 ct state established accept|accept|",
                "Nftables inet guard input input 2 tcp dport 22 drop|drop|",
                "Nftables inet guard input input 3 jump services|jump services|",
                "Nftables inet guard input input 4 policy accept|accept|",
                "Nftables inet guard services  1 udp dport 7 counter accept|accept|",
                "Nftables ip nat DOCKER  1 tcp dport 8080 dnat to 172.17.0.2|accept|docker",
                "Iptables ip filter INPUT input 1 -p tcp -m tcp --dport 23 -j REJECT --reject-with icmp-port-unreachable|reject|",
                "Iptables ip filter INPUT input 2 policy accept|accept|",
                "Iptables ip filter FORWARD forward 1 policy accept|accept|",
                "Iptables ip filter OUTPUT output 1 policy accept|accept|",
            ],
            Engine.Lines($$"""
                Get-FirewallRule -NetworkNamespace {{host.Name}} |
                    ForEach-Object { "$($_.Engine) $($_.Family) $($_.Table) $($_.Chain) $($_.Hook) $($_.Position) $($_.Text)|$($_.Verdict)|$($_.Owner)" }
                """));
        Assert.Equal(before, Traffic.RulesOf(host) + LegacyRules(host));
    }

    [Fact]
    public void Rules_are_chosen_by_what_they_are()
    {
        using TestNamespace host = new();
        host.LoadRules(Rules);
        host.Run("ip6tables-legacy", "-P", "FORWARD", "DROP");
        Engine.Set("n", host.Name);
        Assert.Equal(["4"], Engine.Lines("@(Get-FirewallRule INPUT -NetworkNamespace $n -Engine Nftables).Count"));
        Assert.Equal(["1"], Engine.Lines("@(Get-FirewallRule ser* -NetworkNamespace $n).Count"));
        Assert.Equal(["tcp dport 8080 dnat to 172.17.0.2"], Engine.Lines("(Get-FirewallRule -Owner dock* -NetworkNamespace $n).Text"));
        Assert.Equal(["tcp dport 8080 dnat to 172.17.0.2"], Engine.Lines("(Get-FirewallRule -Table nat -Family ip -NetworkNamespace $n).Text"));
        Assert.Equal(["tcp dport 22 drop", "policy drop"], Engine.Lines("(Get-FirewallRule -Verdict drop, reject -NetworkNamespace $n).Text"));
        Assert.Equal(["jump services"], Engine.Lines("(Get-FirewallRule -Verdict 'jump *' -NetworkNamespace $n).Text"));
        Assert.Equal(["tcp dport 22 drop"], Engine.Lines("(Get-FirewallRule -Comment '*SSH' -NetworkNamespace $n).Text"));
        Assert.Equal(["FORWARD"], Engine.Lines("(Get-FirewallRule -Hook forward -Engine Iptables -NetworkNamespace $n).Chain"));
        Assert.Empty(Engine.Lines("Get-FirewallRule -Comment *elsewhere* -NetworkNamespace $n"));
        Assert.Equal(["DOCKER"], Engine.Complete($"Get-FirewallRule -NetworkNamespace {host.Name} -Chain D"));
        Assert.Equal(["guard"], Engine.Complete($"Get-FirewallRule -NetworkNamespace {host.Name} -Table g"));
        Assert.Equal(["'jump services'"], Engine.Complete($"Get-FirewallRule -NetworkNamespace {host.Name} -Verdict j"));
    }

    [Fact]
    public void Without_the_legacy_engine_none_of_its_tables_is_made()
    {
        using TestNamespace host = new();
        Assert.Empty(Engine.Lines($"Get-FirewallRule -NetworkNamespace {host.Name}"));
        Assert.Equal("", host.Do(() => File.ReadAllText("/proc/thread-self/net/ip_tables_names")));
    }

    [Fact]
    public void A_namespace_that_is_not_there_is_an_error() =>
        Engine.Fail("Get-FirewallRule -NetworkNamespace conntracker-nowhere", "NetworkNamespaceNotFound", ErrorCategory.ObjectNotFound);

    [Fact]
    public void Who_may_not_read_them_is_told_so()
    {
        ToolResult result = OtherPowerShell.RunUnprivileged("try { Get-FirewallRule } catch { $_.FullyQualifiedErrorId }");
        Assert.Equal(["ConntrackPermissionDenied,Conntracker.PowerShell.Commands.GetFirewallRuleCommand"], result.Lines);
    }

    [Fact]
    public void The_flows_of_a_rule_are_those_that_met_it_each_once()
    {
        using TestNamespace host = new();
        host.LoadRules(Rules);
        Engine.Lines($"$n = '{host.Name}'; $capture = Start-ConntrackCapture live -NetworkNamespace $n -Trace Flows");
        Traffic.SendUdp(host, 32000, 1, port: 7);
        Traffic.SendUdp(host, 32001, 1, port: 9);
        Traffic.SendSyn(host, 22);

        // A rule that is inserted moves the others: they are found all the same.
        Eventually.True("the flows", () => Engine.Line("@(Get-ConntrackFlow -SrcPort 32000-32001 | Where-Object Trace).Count") == "2");
        Engine.Lines("$capture | Stop-ConntrackCapture");
        host.LoadRules("insert rule inet guard input udp dport 1 accept");

        Assert.Equal(["7"], Engine.Lines("(Get-FirewallRule services -NetworkNamespace $n | Get-ConntrackFlow).DstPort"));
        Assert.Equal(["22"], Engine.Lines("(Get-FirewallRule -Comment 'no ssh' -NetworkNamespace $n | Get-ConntrackFlow -Capture $capture).DstPort"));
        Assert.Equal(["7", "9"], Engine.Lines(
            "(Get-FirewallRule -NetworkNamespace $n -Chain input, services | Get-ConntrackFlow -Protocol Udp -SrcPort 32000-32001).DstPort")
            .Order(StringComparer.Ordinal));
        Engine.Lines("$jump = Get-FirewallRule -Verdict 'jump services' -NetworkNamespace $n");
        Assert.Equal(["7", "9"], Engine.Lines("(Get-ConntrackFlow -Capture $capture -Protocol Udp -FirewallRule $jump).DstPort").Order(StringComparer.Ordinal));
        Assert.Empty(Engine.Lines("Get-FirewallRule DOCKER -NetworkNamespace $n | Get-ConntrackFlow"));
    }

    [Fact]
    public void The_rules_of_files_have_file_and_line_and_are_loaded_nowhere()
    {
        TestNamespace.NeedRoot();
        using TempDirectory folder = new();
        File.WriteAllText(folder.File("fw.nft"), Rules);
        File.WriteAllText(folder.File("rules.v4"), "*filter\n:INPUT DROP [0:0]\n-A INPUT -p tcp -m tcp --dport 23 -j ACCEPT\nCOMMIT\n");
        Engine.Set("folder", folder.Path);
        string before = Tool.Run("nft", "list", "tables");

        const string Show = "ForEach-Object { \"$($_.Family) $($_.Table) $($_.Chain) $($_.Position) $($_.Text)|$($_.File)|$($_.Line)|$($_.Handle)\" }";
        string fw = folder.File("fw.nft");
        Assert.Equal(
            [
                $"inet guard input 1 ct state established accept|{fw}|4|",
                $"inet guard input 2 tcp dport 22 drop|{fw}|5|",
                $"inet guard input 3 jump services|{fw}|6|",
                "inet guard input 4 policy accept|||",
                $"inet guard services 1 udp dport 7 counter accept|{fw}|9|",
                $"ip nat DOCKER 1 tcp dport 8080 dnat to 172.17.0.2|{fw}|14|",
            ],
            Engine.Lines($"Get-FirewallRule -Path $folder/*.nft | {Show}"));
        Assert.Equal(
            [$"ip filter INPUT 1 -p tcp -m tcp --dport 23 -j ACCEPT|{folder.File("rules.v4")}|3|", "ip filter INPUT 2 policy drop|||"],
            Engine.Lines($"Get-FirewallRule INPUT -LiteralPath $folder/fw.nft, $folder/rules.v4 -Engine Iptables | {Show}"));
        Assert.Equal(before, Tool.Run("nft", "list", "tables"));
    }

    [Fact]
    public void A_file_that_is_missing_or_does_not_load_is_an_error_that_says_where()
    {
        TestNamespace.NeedRoot();
        using TempDirectory folder = new();
        File.WriteAllText(folder.File("broken.nft"), "table inet x { nonsense }");
        Engine.Set("folder", folder.Path);
        ErrorRecord error = Engine.Fail("Get-FirewallRule -Path $folder/broken.nft", "RulesetInvalid", ErrorCategory.InvalidData);
        Assert.Contains("broken.nft:1:", error.ToString(), StringComparison.Ordinal);
        Engine.Fail("Get-FirewallRule -Path $folder/*.v4", "RulesetNotFound", ErrorCategory.ObjectNotFound);
        Engine.Fail("Get-FirewallRule -LiteralPath $folder/*.nft", "RulesetNotFound", ErrorCategory.ObjectNotFound);
    }

    [Fact]
    public void They_are_grouped_by_table_and_a_hostile_comment_cannot_steer_the_terminal()
    {
        using TestNamespace host = new();
        host.LoadRules(Rules.Replace("no ssh", "no\u001b]0;pwn\u0007 ssh", StringComparison.Ordinal));
        string[] lines = Engine.Show($"Get-FirewallRule -NetworkNamespace {host.Name}");
        Assert.Equal(2, lines.Count(line => line.StartsWith("   Table: ", StringComparison.Ordinal)));
        Assert.Contains("   Table: Nftables inet guard", lines);
        Assert.Single(
            lines,
            line => line.StartsWith("input ", StringComparison.Ordinal)
                && line.EndsWith("tcp dport 22 drop comment \"no_]0;pwn_ ssh\"", StringComparison.Ordinal));
        Assert.All(lines, line => Assert.True(line.Length <= 120 && !line.Any(char.IsControl), line));
    }

    // iptables-legacy lists rules without the time, which iptables-legacy-save writes.
    private static string LegacyRules(TestNamespace host) => host.Run("iptables-legacy", "-t", "filter", "-S");
}
