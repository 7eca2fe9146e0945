using System.Management.Automation;
using Conntracker.Tests.Module.Support;
using Xunit;

namespace Conntracker.Tests.Module;

/// <summary>Get-FirewallRuleUsage.</summary>
public sealed class GetFirewallRuleUsageTests : ModuleTest
{
    [Fact]
    public void A_capture_counts_its_rules_and_finds_what_nobody_needs()
    {
        using TestNamespace host = new();
        host.LoadRules("""
            table inet guard {
              chain output {
                type filter hook output priority filter; policy accept;
                tcp dport 22 drop
                tcp dport { 23, 24 } drop
                tcp dport { 24, 23 } counter drop comment "again"
                udp dport 7 accept
              }
            }
            """);
        Engine.Lines($"$capture = Start-ConntrackCapture live -NetworkNamespace {host.Name} -Trace Flows");
        Traffic.SendUdp(host, 32000, 5, port: 7);
        Traffic.SendUdp(host, 33000, 1, port: 9);
        Traffic.SendSyn(host, 22);
        Eventually.True("the flows", () => Engine.Line("@(Get-ConntrackFlow -SrcPort 32000-33000 | Where-Object Trace).Count") == "6");
        Engine.Lines("$capture | Stop-ConntrackCapture");

        string[] expected =
        [
            "1 1 ",
            "2 0 never hit",
            "3 0 never hit; duplicate of rule 2",
            "4 5 could move before rule 1: saves 14 evaluations",
        ];
        const string Show = """
            Where-Object { "$($_.Rule.Type)" -eq 'Rule' } | ForEach-Object { "$($_.Rule.Position) $($_.Flows) $($_.Findings -join '; ')" }
            """;
        Answer answer = Engine.Run($"$capture | Get-FirewallRuleUsage | {Show}");
        Assert.Empty(answer.Errors);
        Assert.Equal(expected, answer.Lines);
        Assert.Equal(["3"], Engine.Lines("(Get-FirewallRuleUsage live -Finding Duplicate).Rule.Position"));
        Engine.Lines("$found = Get-FirewallRuleUsage live -Finding CouldMoveUp");
        Assert.Equal(["4", "14", "1"], Engine.Lines("$found.Rule.Position; $found.Findings.SavedEvaluations; $found.Findings.Other.Position"));

        // The same from flows, with the rules that are loaded.
        Assert.Equal(expected, Engine.Lines($"Get-ConntrackFlow live | Get-FirewallRuleUsage -NetworkNamespace {host.Name} | {Show}"));
        Assert.Equal(["True"], Engine.Lines("$null -ne (Get-FirewallRuleUsage live | Where-Object Flows -eq 5).LastHit"));
    }

    [Fact]
    public void A_trial_proves_which_rule_is_shadowed_and_the_loaded_rules_stay()
    {
        using TestNamespace host = new();
        host.Run("ip", "link", "add", "eth0", "type", "veth", "peer", "name", "far0");
        host.Run("ip", "address", "add", "192.0.2.10/24", "dev", "eth0");
        host.Run("ip", "link", "set", "eth0", "up");
        host.Run("ip", "link", "set", "far0", "up");
        host.LoadRules("""
            table inet guard {
              chain input {
                type filter hook input priority filter; policy accept;
                tcp dport 20-30 accept
                ip saddr 192.0.2.0/24 tcp dport 22 drop
                udp dport 7 accept
              }
            }
            """);
        string before = host.Run("nft", "-a", "list", "ruleset");
        Engine.Lines($"$capture = Start-ConntrackCapture live -NetworkNamespace {host.Name} -Trace Flows");
        Traffic.SendUdp(host, 32000, 1, port: 7);
        Eventually.True("the flow", () => Engine.Line("@(Get-ConntrackFlow -SrcPort 32000 | Where-Object Trace).Count") == "1");
        Engine.Lines("$capture | Stop-ConntrackCapture");

        Engine.Lines("$found = Get-FirewallRuleUsage live -Trial -Finding Shadowed");
        Assert.Equal(["2", "never hit shadowed by rule 1"], Engine.Lines("$found.Rule.Position; \"$($found.Findings)\""));
        Assert.Equal(before, host.Run("nft", "-a", "list", "ruleset"));
        Assert.Single(
            Engine.Run("Get-FirewallRuleUsage live").Warnings,
            warning => warning.StartsWith("Shadowed rules are not shown", StringComparison.Ordinal));
    }

    [Fact]
    public void A_replay_has_the_rules_of_its_recording()
    {
        Engine.Lines("$null = Start-ConntrackCapture firewall -ReplayPath $firewall");
        Assert.Contains("tcp dport 22 drop", Engine.Lines("(Get-FirewallRuleUsage firewall | Where-Object Packets -gt 0).Rule.Text"));
        string[] lines = Engine.Show("Get-FirewallRuleUsage firewall");
        Assert.Contains(lines, line => line.StartsWith("   Table: Nftables inet firewall", StringComparison.Ordinal));
        Assert.All(lines, line => Assert.True(line.Length <= 120, line));
    }

    [Fact]
    public void Without_traced_flows_nothing_is_found_and_a_warning_says_why()
    {
        Engine.Lines("$null = Start-ConntrackCapture office -ReplayPath $office; $rules = @()");
        Answer answer = Engine.Run("Get-FirewallRuleUsage office");
        Assert.Empty(answer.Lines);
        Assert.Single(answer.Warnings, warning => warning.StartsWith("No flow was traced", StringComparison.Ordinal));
        Engine.Fail("Get-FirewallRuleUsage nobody", "CaptureNotFound", ErrorCategory.ObjectNotFound);
    }
}
