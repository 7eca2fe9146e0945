using Conntracker.Tests.Module.Support;
using Xunit;

namespace Conntracker.Tests.Module;

/// <summary>What Tab offers.</summary>
public sealed class CompletionTests : ModuleTest
{
    [Theory]
    [InlineData("Get-ConntrackCapture ")]
    [InlineData("Get-ConntrackCapture -Name ")]
    [InlineData("Get-ConntrackFlow -Name ")]
    [InlineData("Get-FirewallRuleUsage -Name ")]
    [InlineData("Get-FlowTrace -Name ")]
    [InlineData("Stop-ConntrackCapture -Name ")]
    [InlineData("Wait-ConntrackCapture -Name ")]
    [InlineData("Remove-ConntrackCapture -Name ")]
    [InlineData("Watch-ConntrackFlow -Name ")]
    [InlineData("Enable-FlowTrace -Name ")]
    [InlineData("Disable-FlowTrace -Name ")]
    public void Names_of_captures_are_offered_and_quoted_where_they_need_it(string line)
    {
        Engine.Lines("foreach ($name in 'office', 'official', 'web', \"bob's office\") { $null = Start-ConntrackCapture $name -ReplayPath $office }");
        Assert.Equal(["office", "official"], Engine.Complete($"{line}off"));
        Assert.Equal(["'bob''s office'"], Engine.Complete($"{line}bob"));
    }

    [Theory]
    [InlineData("Get-ConntrackFlow -State ", "Assured Closed New Replied")]
    [InlineData("Get-ConntrackFlow -Protocol Ic", "Icmp IcmpV6")]
    [InlineData("Get-ConntrackFlow -Verdict ", "Accepted Dropped Rejected Unknown")]
    [InlineData("Get-ConntrackFlow -FoldInternet ", "Both In None Out")]
    [InlineData("Get-FirewallRule -Engine ", "Iptables Nftables")]
    [InlineData("Get-FirewallRuleUsage -Finding ", "CouldMoveUp Duplicate NeverHit Shadowed")]
    [InlineData("Get-FirewallRule -Family ip", "ip ip6")]
    [InlineData("Start-ConntrackCapture -Trace ", "Everything Flows None")]
    [InlineData("Start-ConntrackCapture -Source ", "Conntrack Packet")]
    [InlineData("Start-ConntrackCapture -Protocol UdpL", "UdpLite")]
    [InlineData("Start-ConntrackCapture -NetworkNamespace conntracker-nowhere -Interface ", "any")]
    [InlineData("Format-ConntrackLog -Style ", "V1 V2 V3")]
    [InlineData("Export-ConntrackLog -Format ", "Csv Json JsonLines Text Tree")]
    [InlineData("Import-ConntrackLog -Format J", "Json JsonLines")]
    [InlineData("Export-ConntrackLog -FoldInternet ", "Both In None Out")]
    public void Values_are_offered(string line, string values) => Assert.Equal(values.Split(' '), Engine.Complete(line).Order(StringComparer.Ordinal));

    [Theory]
    [InlineData("Start-ConntrackCapture -NetworkNamespace ")]
    [InlineData("Watch-ConntrackFlow -NetworkNamespace ")]
    [InlineData("Get-ConntrackFlow -Live -NetworkNamespace ")]
    [InlineData("Get-FirewallHost -NetworkNamespace ")]
    [InlineData("Get-FirewallRule -NetworkNamespace ")]
    public void Network_namespaces_are_offered(string line)
    {
        using TestNamespace host = new();
        Assert.Equal([host.Name], Engine.Complete(line + host.Name[..^1]).Where(name => name == host.Name));
    }

    [Fact]
    public void Interfaces_are_those_of_the_namespace_that_is_to_be_captured()
    {
        using TestNamespace host = new();
        host.Run("ip", "link", "add", "here0", "type", "veth", "peer", "name", "here1");
        Assert.Equal(["any", "here0", "here1", "lo"], Engine.Complete($"Start-ConntrackCapture -NetworkNamespace {host.Name} -Interface ")
            .Order(StringComparer.Ordinal));
        Assert.Empty(Engine.Complete("Start-ConntrackCapture -Interface here"));
        Assert.Contains("lo", Engine.Complete("Start-ConntrackCapture -Interface "));
    }
}
