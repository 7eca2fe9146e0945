using System.Management.Automation;
using System.Text.RegularExpressions;
using Conntracker.Tests.Module.Support;
using Xunit;

namespace Conntracker.Tests.Module;

/// <summary>Test-FirewallPolicy, for a host that is described in a file.</summary>
public sealed class TestFirewallPolicyTests : ModuleTest
{
    private const string Rules = """
        table inet filter {
          chain input {
            type filter hook input priority filter; policy drop;
            ct state established,related accept
            tcp dport 80 accept
            tcp dport 81 accept comment "answers do not come back"
            udp dport 53 reject
          }
          chain output {
            type filter hook output priority filter; policy accept;
            tcp sport 81 drop
          }
        }
        """;

    private const string Host = """
        { "Name": "web", "Interfaces": [
            { "Name": "lo", "Index": 1, "Kind": "loopback", "LinkType": 772, "IsUp": true, "Addresses": ["127.0.0.1/8"] },
            { "Name": "eth0", "Index": 2, "IsUp": true, "Addresses": ["192.0.2.1/24"] } ],
          "Routes": [ { "Destination": "0.0.0.0/0", "Gateway": "192.0.2.254", "Interface": "eth0" } ] }
        """;

    private readonly TempDirectory _folder = new();

    [Fact]
    public void Each_flow_gets_the_verdict_the_rule_and_the_verdict_on_its_answer()
    {
        Prepare();
        Assert.Equal(
            ["80 Accepted Accepted tcp dport 80 accept", "81 Accepted Dropped tcp dport 81 accept", "82 Dropped Unknown policy drop"],
            Engine.Lines("""
                To 80-82 | Test-FirewallPolicy $rules -HostPath $web | ForEach-Object { "$($_.Flow.DstPort) $($_.Verdict) $($_.ReplyVerdict) $($_.Rule.Text)" }
                """));
        Assert.Equal("Conntracker.FlowTest", Engine.Line("(To 80 | Test-FirewallPolicy $rules -HostPath $web).PSObject.TypeNames[0]"));
        Assert.Equal("Rejected", Engine.Line("(To 53 Udp | Test-FirewallPolicy $rules -HostPath $web).Verdict"));
    }

    [Fact]
    public void A_rule_has_its_file_and_line()
    {
        Prepare();
        Assert.Equal(
            [_folder.File("rules.nft"), "5"],
            Engine.Lines("$rule = (To 80 | Test-FirewallPolicy $rules -HostPath $web).Rule; $rule.File; $rule.Line"));
    }

    [Fact]
    public void Without_replies_no_answer_is_tested()
    {
        Prepare();
        Assert.Equal(
            "Accepted Unknown",
            Engine.Line("To 81 | Test-FirewallPolicy $rules -HostPath $web -NoReply | ForEach-Object { \"$($_.Verdict) $($_.ReplyVerdict)\" }"));
    }

    [Theory]
    [InlineData("-Compare $old $rules")]
    [InlineData("-Path $rules -Compare $old")]
    [InlineData("-LiteralPath $rules -Compare $old")]
    public void A_comparison_emits_what_differs_with_the_old_verdict_and_rule(string rulesets)
    {
        Prepare();
        Assert.Equal(
            ["80 Dropped Accepted True policy drop", "8080 Accepted Dropped True tcp dport 8080 accept"],
            Engine.Lines($$"""
                To 79-81, 8080 | Test-FirewallPolicy {{rulesets}} -HostPath $web |
                    ForEach-Object { "$($_.Flow.DstPort) $($_.OldVerdict) $($_.Verdict) $($_.Changed) $($_.OldRule.Text)" }
                """));
    }

    // The answer on port 81 is dropped with either: the flow works with neither.
    [Fact]
    public void Without_a_rule_only_flows_are_emitted_for_which_that_matters()
    {
        Prepare();
        Engine.Run("$rule = (To 80 | Test-FirewallPolicy $rules -HostPath $web).Rule; $other = (To 81 | Test-FirewallPolicy $rules -HostPath $web).Rule");
        Assert.Equal(["80 Dropped Accepted True"], Changes("-Without $rule"));
        Assert.Equal(["81 Dropped Accepted False"], Changes("-Without $other"));
        Assert.Empty(Changes("-Without $other -Changed"));

        string[] Changes(string parameters) => Engine.Lines($$"""
            To 79-82 | Test-FirewallPolicy $rules -HostPath $web {{parameters}} |
                ForEach-Object { "$($_.Flow.DstPort) $($_.Verdict) $($_.OldVerdict) $($_.Changed)" }
            """);
    }

    [Theory]
    [InlineData("-HostPath $web")]
    [InlineData("-FirewallHost $web")]
    [InlineData("-Host (Get-FirewallHost -Path $web)")]
    [InlineData("-Host (ReadBack (Get-FirewallHost -Path $web))")]
    public void The_host_is_an_object_or_a_path(string host)
    {
        Prepare();
        Assert.Equal("Accepted", Engine.Line($"(To 80 | Test-FirewallPolicy $rules {host}).Verdict"));
    }

    [Fact]
    public void Without_a_pipeline_the_flows_of_captures_are_tested()
    {
        Prepare();
        Engine.Run("$one = Start-ConntrackCapture one -ReplayPath $office; $null = Start-ConntrackCapture two -ReplayPath $firewall");
        Assert.Equal("21", Engine.Line("@(Test-FirewallPolicy $rules -HostPath $web).Count"));
        Assert.Equal("15", Engine.Line("@(Test-FirewallPolicy $rules -HostPath $web -Capture $one).Count"));
        Assert.Empty(Engine.Lines("@() | Test-FirewallPolicy $rules -HostPath $web"));
    }

    // A pipeline that shows flows as they begin must not wait for a window to fill.
    [Fact]
    public void A_flow_that_comes_alone_is_tested_at_once()
    {
        Prepare();
        Assert.Equal(
            ["made 80", "tested 80", "made 81", "tested 81"],
            Engine.Lines("""
                $seen = [System.Collections.Generic.List[string]]::new()
                80, 81 | ForEach-Object { $seen.Add("made $_"); To $_; [System.Threading.Thread]::Sleep(1000) } |
                    Test-FirewallPolicy $rules -HostPath $web | ForEach-Object { $seen.Add("tested $($_.Flow.DstPort)") }
                $seen
                """));
    }

    [Fact]
    public void A_ruleset_that_does_not_load_ends_it_with_the_loaders_own_words()
    {
        Prepare();
        ErrorRecord error = Engine.Fail("To 80 | Test-FirewallPolicy $broken -HostPath $web", "RulesetInvalid", ErrorCategory.InvalidData);
        Assert.Contains("broken.nft:1:", error.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Test-FirewallPolicy /nosuch/rules.nft", "RulesetNotFound", ErrorCategory.ObjectNotFound)]
    [InlineData("Test-FirewallPolicy /nosuch/*.nft", "RulesetNotFound", ErrorCategory.ObjectNotFound)]
    [InlineData("Test-FirewallPolicy -LiteralPath /nosuch/[a].nft", "RulesetNotFound", ErrorCategory.ObjectNotFound)]
    [InlineData("Test-FirewallPolicy $rules -Compare /nosuch/old.nft", "RulesetNotFound", ErrorCategory.ObjectNotFound)]
    [InlineData("Test-FirewallPolicy $rules -HostPath /nosuch/host.json", "HostDescriptionFailed", ErrorCategory.OpenError)]
    [InlineData("Test-FirewallPolicy $rules -HostPath $rules", "HostDescriptionInvalid", ErrorCategory.InvalidData)]
    [InlineData("Test-FirewallPolicy $rules -HostPath $web", "CaptureNotFound", ErrorCategory.ObjectNotFound)]
    [InlineData("Test-FirewallPolicy $rules -HostPath $web -Compare $old -CompareCurrent", "ConntrackArgumentInvalid", ErrorCategory.InvalidArgument)]
    [InlineData("Test-FirewallPolicy $rules -HostPath $web -FirewallHost $web", "ConntrackArgumentInvalid", ErrorCategory.InvalidArgument)]
    public void What_is_missing_or_contradicts_itself_is_an_error_of_its_own(string script, string id, ErrorCategory category)
    {
        Prepare();
        Engine.Fail(script, id, category);
    }

    // The verdict of a folded flow cannot be known; with -Changed nobody would see that.
    [Fact]
    public void Flows_whose_verdict_is_unknown_are_counted_where_they_are_not_shown()
    {
        Prepare();
        Answer answer = Engine.Run(
            "Start-ConntrackCapture office -ReplayPath $office | Get-ConntrackFlow -FoldInternet Both | Test-FirewallPolicy $rules -HostPath $web -Changed");
        Assert.Empty(answer.Errors);
        Assert.Contains(answer.Warnings, each => each.Contains(" flows a verdict is unknown", StringComparison.Ordinal));
    }

    [Fact]
    public void A_row_shows_verdict_answer_change_flow_and_rule()
    {
        Prepare();
        string[] lines = Engine.Show("To 80-82 | Test-FirewallPolicy $rules -HostPath $web");
        Assert.Matches("^Verdict +Reply +Change +Proto +Source +Destination +Rule$", lines[0]);
        Assert.Single(lines, line => Regex.IsMatch(line, @"^Accepted +Dropped +\? +Tcp +203\.0\.113\.9:45000 +192\.0\.2\.1:81 +inet filter input rule 3: "));
        Assert.All(lines, line => Assert.True(line.Length <= 120, line));
    }

    [Fact]
    public void It_survives_Export_Clixml()
    {
        Prepare();
        Assert.Equal(
            ["Accepted", "tcp dport 80 accept", "80", "True"],
            Engine.Lines("""
                $there = ReadBack (To 80 | Test-FirewallPolicy $rules -HostPath $web)
                $there.Verdict; $there.Rule.Text; $there.Flow.DstPort; $there.Path.Count -gt 0
                """));
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        base.Dispose(disposing);
        if (disposing)
        {
            _folder.Dispose();
        }
    }

    // Whoever may not make network namespaces cannot run a trial.
    private void Prepare()
    {
        TestNamespace.NeedRoot();
        File.WriteAllText(_folder.File("rules.nft"), Rules);
        File.WriteAllText(_folder.File("old.nft"), Rules.Replace("tcp dport 80 ", "tcp dport 8080 ", StringComparison.Ordinal));
        File.WriteAllText(_folder.File("web.json"), Host);
        File.WriteAllText(_folder.File("broken.nft"), "table inet x { nonsense }");

        Engine.Set("rules", _folder.File("rules.nft"));
        Engine.Set("old", _folder.File("old.nft"));
        Engine.Set("broken", _folder.File("broken.nft"));
        Engine.Set("web", _folder.File("web.json"));
        Engine.Run("""
            function To($Port, $Protocol = 'Tcp') {
                New-ConntrackFlow -Protocol $Protocol -SrcAddress 203.0.113.9 -DstAddress 192.0.2.1 -DstPort $Port -InInterface eth0
            }
            function ReadBack($Object) {
                [System.Management.Automation.PSSerializer]::Deserialize([System.Management.Automation.PSSerializer]::Serialize($Object))
            }
            """);
    }
}
