using System.Management.Automation;
using Conntracker.Tests.Module.Support;
using Xunit;

namespace Conntracker.Tests.Module;

/// <summary>Remove-ConntrackCapture.</summary>
public sealed class RemoveConntrackCaptureTests : ModuleTest
{
    public RemoveConntrackCaptureTests() => Engine.Lines("foreach ($name in 'office', 'web') { $null = Start-ConntrackCapture $name -ReplayPath $office }");

    [Theory]
    [InlineData("Remove-ConntrackCapture web", "office")]
    [InlineData("Remove-ConntrackCapture of*", "web")]
    [InlineData("Remove-ConntrackCapture *", "")]
    [InlineData("Remove-ConntrackCapture -Capture (Get-ConntrackCapture web)", "office")]
    [InlineData("Get-ConntrackCapture web | Remove-ConntrackCapture", "office")]
    [InlineData("'office' | Remove-ConntrackCapture", "web")]
    [InlineData("[pscustomobject]@{ Name = 'web' } | Remove-ConntrackCapture", "office")]
    public void It_takes_names_and_captures_and_emits_nothing(string script, string left)
    {
        Assert.Empty(Engine.Lines(script));
        Assert.Equal(left.Split(' ', StringSplitOptions.RemoveEmptyEntries), Engine.Lines("Get-ConntrackCapture | ForEach-Object Name"));
    }

    [Fact]
    public void Without_a_name_it_removes_none()
    {
        ErrorRecord error = Engine.Fail("Remove-ConntrackCapture", "ConntrackArgumentInvalid", ErrorCategory.InvalidArgument);

        Assert.Contains("'*'", error.ToString(), StringComparison.Ordinal);
        Assert.Equal("2", Engine.Line("@(Get-ConntrackCapture).Count"));
    }

    [Fact]
    public void A_name_that_stands_for_none_is_an_error() => Engine.Fail("Remove-ConntrackCapture nobody", "CaptureNotFound", ErrorCategory.ObjectNotFound);

    [Fact]
    public void WhatIf_removes_none()
    {
        Assert.Equal(
            ["What if: Performing the operation \"Remove capture with 15 flows\" on target \"office\".",
                "What if: Performing the operation \"Remove capture with 15 flows\" on target \"web\"."],
            Engine.Show("Remove-ConntrackCapture * -WhatIf"));
        Assert.Equal("2", Engine.Line("@(Get-ConntrackCapture).Count"));
    }

    [Fact]
    public void Flows_that_were_emitted_stay_and_the_name_is_free()
    {
        Assert.Equal(
            ["15", "22", "15"],
            Engine.Lines("$flows = Get-ConntrackFlow -Name office; Remove-ConntrackCapture office; $flows.Count; $flows[0].DstPort; " +
                "(Start-ConntrackCapture office -ReplayPath $office).FlowCount"));
    }

    [Fact]
    public void A_capture_object_that_is_left_is_empty_and_does_not_fail() =>
        Assert.Equal(["0", "office"],
            Engine.Lines("$c = Get-ConntrackCapture office; Remove-ConntrackCapture office; $c.FlowCount; $c.Name; $c | Remove-ConntrackCapture"));

    [Fact]
    public void A_capture_that_runs_is_stopped_and_leaves_nothing_in_the_kernel()
    {
        using TestNamespace host = new();
        Engine.Lines($"$capture = Start-ConntrackCapture -NetworkNamespace {host.Name} -Accounting");
        Assert.NotEmpty(Traffic.OwnTables(host));

        Assert.Equal("Stopped", Engine.Line("$capture | Remove-ConntrackCapture; $capture.State"));
        Assert.Empty(Traffic.OwnTables(host));
        Assert.Equal("0", host.ReadSetting("netfilter/nf_conntrack_acct"));
    }
}
