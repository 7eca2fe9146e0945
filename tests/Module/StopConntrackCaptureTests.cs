using System.Management.Automation;
using Conntracker.Tests.Module.Support;
using Xunit;

namespace Conntracker.Tests.Module;

/// <summary>Stop-ConntrackCapture.</summary>
public sealed class StopConntrackCaptureTests : ModuleTest
{
    [Theory]
    [InlineData("Stop-ConntrackCapture office", "")]
    [InlineData("Stop-ConntrackCapture office -PassThru", "office")]
    [InlineData("Stop-ConntrackCapture o*, web -PassThru", "office web")]
    [InlineData("Stop-ConntrackCapture -PassThru", "office web")]
    [InlineData("Stop-ConntrackCapture -Capture (Get-ConntrackCapture) -PassThru", "office web")]
    [InlineData("Get-ConntrackCapture | Stop-ConntrackCapture -PassThru", "office web")]
    [InlineData("'web' | Stop-ConntrackCapture -PassThru", "web")]
    [InlineData("[pscustomobject]@{ Name = 'web' } | Stop-ConntrackCapture -PassThru", "web")]
    public void It_takes_names_and_captures_and_hands_them_on_with_PassThru_only(string script, string names)
    {
        Engine.Lines("foreach ($name in 'office', 'web') { $null = Start-ConntrackCapture $name -ReplayPath $office }");

        Assert.Equal(names.Split(' ', StringSplitOptions.RemoveEmptyEntries), Engine.Lines($"{script} | ForEach-Object Name"));
        Assert.Equal("15", Engine.Line("@(Get-ConntrackFlow -Name office).Count"));
    }

    [Fact]
    public void A_name_that_stands_for_none_is_an_error() => Engine.Fail("Stop-ConntrackCapture nobody", "CaptureNotFound", ErrorCategory.ObjectNotFound);

    [Fact]
    public void A_capture_that_runs_takes_in_what_the_kernel_had_queued()
    {
        using TestNamespace host = new();
        Engine.Lines($"$capture = Start-ConntrackCapture live -NetworkNamespace {host.Name}");
        Traffic.SendUdp(host, 23000, 200);

        Assert.Equal("Stopped", Engine.Line("Stop-ConntrackCapture live; $capture.State"));
        Assert.Equal("200", Engine.Line("@($capture | Get-ConntrackFlow -SrcPort 23000-23199).Count + $capture.Lost"));
        Assert.Empty(Traffic.OwnTables(host));

        // It does not grow older any more.
        Assert.Equal(Engine.Line("$capture.Duration.Ticks"), Engine.Line("$capture.Duration.Ticks"));
    }

    [Fact]
    public void WhatIf_stops_nothing()
    {
        using TestNamespace host = new();
        Engine.Lines($"$capture = Start-ConntrackCapture live -NetworkNamespace {host.Name}");

        Assert.Equal(["What if: Performing the operation \"Stop capture\" on target \"live\"."], Engine.Show("Stop-ConntrackCapture -WhatIf"));
        Assert.Equal("Running", Engine.Line("$capture.State"));
    }
}
