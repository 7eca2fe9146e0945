using Conntracker.Tests.Module.Support;
using Xunit;

namespace Conntracker.Tests.Module;

/// <summary>Whatever ends the module, its captures end with it and leave nothing in the kernel.</summary>
public sealed class ModuleEndTests : ModuleTest
{
    [Fact]
    public void Removing_the_module_stops_a_capture_that_runs()
    {
        using TestNamespace host = new();
        Engine.Lines($"$capture = Start-ConntrackCapture -NetworkNamespace {host.Name} -Accounting");
        Assert.NotEmpty(Traffic.OwnTables(host));
        Assert.Equal("1", host.ReadSetting("netfilter/nf_conntrack_acct"));

        Assert.Equal("Stopped", Engine.Line("Remove-Module Conntracker; $capture.State"));
        Assert.Empty(Traffic.OwnTables(host));
        Assert.Equal("0", host.ReadSetting("netfilter/nf_conntrack_acct"));
    }

    [Fact]
    public void A_module_that_is_imported_again_works_and_has_forgotten_the_captures()
    {
        Engine.Lines("$null = Start-ConntrackCapture office -ReplayPath $office; Remove-Module Conntracker");

        Assert.Equal(["0", "15"],
            Engine.Lines("Import-Module $module; @(Get-ConntrackCapture).Count; (Start-ConntrackCapture office -ReplayPath $office).FlowCount"));
    }

    [Theory]
    [InlineData("Import-Module $module -Force")]
    [InlineData("Import-Module $module; Import-Module $module -Force")]
    [InlineData("Import-Module $module; Remove-Module Conntracker")]
    public void What_another_runspace_does_with_the_module_leaves_the_captures_of_this_one_alone(string script)
    {
        Engine.Lines("$capture = Start-ConntrackCapture office -ReplayPath $office");

        InOtherRunspace(script);

        Assert.Equal(["office", "15", "15"], Engine.Lines("(Get-ConntrackCapture).Name; $capture.FlowCount; @(Get-ConntrackFlow office).Count"));
    }

    [Fact]
    public void A_runspace_that_removes_the_module_takes_its_own_captures_with_it_and_no_others()
    {
        Engine.Lines("$capture = Start-ConntrackCapture office -ReplayPath $office");

        InOtherRunspace("Import-Module $module; $null = Start-ConntrackCapture theirs -ReplayPath $office; Remove-Module Conntracker");

        Assert.Equal(["office"], Engine.Lines("(Get-ConntrackCapture).Name"));
    }

    [Fact]
    public void Captures_of_a_runspace_that_closes_stay_and_end_with_the_last_one_that_has_the_module()
    {
        Engine.Lines("$capture = Start-ConntrackCapture office -ReplayPath $office");

        InOtherRunspace("Import-Module $module; $null = Start-ConntrackCapture theirs -ReplayPath $office");

        Assert.Equal(["office", "theirs"], Engine.Lines("(Get-ConntrackCapture).Name; $theirs = Get-ConntrackCapture theirs"));
        Assert.Equal(["0", "0"], Engine.Lines("Remove-Module Conntracker; $capture.FlowCount; $theirs.FlowCount"));
    }

    [Fact]
    public void Parallel_scripts_that_import_the_module_with_Force_leave_a_running_capture_alone()
    {
        using TestNamespace host = new();

        Assert.Equal(
            ["15", "15", "15", "Running"],
            Engine.Lines($$"""
                $capture = Start-ConntrackCapture -NetworkNamespace {{host.Name}} -WarningAction Ignore
                1..3 | ForEach-Object -ThrottleLimit 2 -Parallel {
                    Import-Module $using:module -Force
                    (Start-ConntrackCapture "part$_" -ReplayPath $using:office).FlowCount
                    Remove-ConntrackCapture "part$_"
                }
                $capture.State
                """));
        Assert.NotEmpty(Traffic.OwnTables(host));
    }

    [Fact]
    public void A_PowerShell_that_ends_with_a_running_capture_leaves_nothing()
    {
        using TestNamespace host = new();

        ToolResult result = OtherPowerShell.Run($"(Start-ConntrackCapture -NetworkNamespace {host.Name} -Accounting -WarningAction Ignore).State.ToString()");

        Assert.Equal((0, "Running\n", ""), (result.ExitCode, result.Output, result.Error));
        Assert.Empty(Traffic.OwnTables(host));
        Assert.Equal("0", host.ReadSetting("netfilter/nf_conntrack_acct"));
    }

    [Fact]
    public void A_PowerShell_that_is_killed_leaves_no_table_and_the_next_capture_puts_accounting_back()
    {
        using TestNamespace host = new();
        using TempDirectory folder = new();
        using Tool other = OtherPowerShell.Start(folder, [],
            $"(Start-ConntrackCapture -NetworkNamespace {host.Name} -Accounting).State.ToString(); Wait-ConntrackCapture");
        Eventually.True("the capture", () => other.Output.Contains("Running", StringComparison.Ordinal));
        other.End("KILL");
        Eventually.True("the end of the table", () => Traffic.OwnTables(host).Length == 0);

        Answer answer = Engine.Run($"Start-ConntrackCapture next -NetworkNamespace {host.Name} | Remove-ConntrackCapture");

        Assert.Empty(answer.Errors);
        Assert.Single(answer.Warnings, each => each.Contains("accounting", StringComparison.Ordinal));
        Assert.Equal("0", host.ReadSetting("netfilter/nf_conntrack_acct"));
    }

    // It is closed at the end, as it is when a script's own runspace is.
    private void InOtherRunspace(string script) => Engine.Lines($$"""
        $runspace = [runspacefactory]::CreateRunspace([initialsessionstate]::CreateDefault2())
        $runspace.Open()
        $runspace.SessionStateProxy.SetVariable('module', $module)
        $runspace.SessionStateProxy.SetVariable('office', $office)
        $shell = [powershell]::Create($runspace)
        $null = $shell.AddScript(@'
        {{script}}
        '@).Invoke()
        $shell.Streams.Error
        $runspace.Close()
        """);
}
