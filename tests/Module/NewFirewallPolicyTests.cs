using System.Text.Json;
using Conntracker.Tests.Module.Support;
using Xunit;

namespace Conntracker.Tests.Module;

/// <summary>New-FirewallPolicy without its proof, which needs the kernel.</summary>
public sealed class NewFirewallPolicyTests : ModuleTest
{
    public NewFirewallPolicyTests()
    {
        Engine.Lines("$flows = Start-ConntrackCapture office -ReplayPath $office | Get-ConntrackFlow");
    }

    [Fact]
    public void The_object_is_its_ruleset_and_shows_nothing_else()
    {
        Engine.Lines("$policy = $flows | New-FirewallPolicy -NoProof");
        string[] text = [.. Engine.Line("\"$policy\"").Split('\n').Select(each => each.TrimEnd())];
        Assert.Equal(["#!/usr/sbin/nft -f", "}"], [text[0], text[^1]]);
        Assert.Contains("table inet conntracker_policy {", text);
        Assert.Equal(text[0], Engine.Show("$policy")[0]);
        Assert.Equal("}", Engine.Show("$policy")[^1]);
    }

    [Fact]
    public void Parameters_decide_format_verdict_hosts_and_services()
    {
        Assert.Equal("Conntracker.FirewallPolicy", Engine.Line("($flows | New-FirewallPolicy -NoProof).GetType().FullName"));
        Assert.StartsWith("# Accepts what ", Engine.Line("\"$($flows | New-FirewallPolicy -As Iptables -NoProof)\""), StringComparison.Ordinal);
        using JsonDocument json = JsonDocument.Parse(Engine.Line("\"$($flows | New-FirewallPolicy -As Json -DefaultVerdict Reject -NoProof)\""));
        Assert.Equal("Reject", json.RootElement.GetProperty("defaultVerdict").GetString());
        Assert.Equal("0", Engine.Line("($flows | New-FirewallPolicy -Exclude 0.0.0.0/0, ::/0 -NoProof).Rules.Count"));
        Assert.Equal("0", Engine.Line("($flows | New-FirewallPolicy -MinimumConnections 1000 -NoProof).Rules.Count"));
        Assert.NotEqual("0", Engine.Line("($flows | New-FirewallPolicy -Prefix 0.0.0.0/0, ::/0 -NoProof).Rules.Where({ $_.Widening -gt 1e9 }).Count"));
    }

    [Theory]
    [InlineData("-Exclude nonsense", "CannotConvertArgumentNoMessage")]
    [InlineData("-Prefix 10.0.0.0/33", "CannotConvertArgumentNoMessage")]
    [InlineData("-MaximumWidening -1", "ParameterArgumentValidationError")]
    [InlineData("-MinimumConnections 0", "ParameterArgumentValidationError")]
    public void Values_that_cannot_be_are_refused(string parameters, string id) =>
        Assert.StartsWith(id, Engine.Line($"try {{ $flows | New-FirewallPolicy -NoProof {parameters} }} catch {{ $_.FullyQualifiedErrorId }}"),
            StringComparison.Ordinal);

    [Fact]
    public void Flows_of_a_text_log_need_the_hosts_addresses_and_a_warning_says_so()
    {
        Engine.Lines("$log = Import-ConntrackLog \"$fixtures/v3.log\"");
        Engine.Lines("$policy = $log | New-FirewallPolicy -NoProof -WarningVariable warnings -WarningAction SilentlyContinue");
        Assert.Contains("-OwnAddress", Engine.Line("\"$warnings\""), StringComparison.Ordinal);
        Assert.Equal("0", Engine.Line("$policy.Rules.Count"));
        Assert.NotEqual("0", Engine.Line("($log | New-FirewallPolicy -NoProof -OwnAddress $log[0].SrcAddress).Rules.Count"));
    }

    [Fact]
    public void Another_session_reads_rules_and_formats_again()
    {
        Engine.Lines("$xml = [System.Management.Automation.PSSerializer]::Serialize(($flows | New-FirewallPolicy -NoProof), 4)");
        Engine.Lines("$again = [System.Management.Automation.PSSerializer]::Deserialize($xml)");
        Assert.Equal("Nftables Drop", Engine.Line("\"$($again.Format) $($again.DefaultVerdict)\""));
        Assert.Equal("True", Engine.Line("$again.Rules[0].Sources.Count + $again.Rules[0].Destinations.Count -gt 0"));
        Assert.Equal("#!/usr/sbin/nft -f", Engine.Show("$again")[0]);
    }
}
