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

        Assert.Equal(["0", "15"], Engine.Lines("Import-Module $module; @(Get-ConntrackCapture).Count; (Start-ConntrackCapture office -ReplayPath $office).FlowCount"));
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
        using TempFolder folder = new();
        using Tool other = OtherPowerShell.Start(folder, [], $"(Start-ConntrackCapture -NetworkNamespace {host.Name} -Accounting).State.ToString(); Wait-ConntrackCapture");
        Eventually.True("the capture", () => other.Output.Contains("Running", StringComparison.Ordinal));
        other.End("KILL");
        Eventually.True("the end of the table", () => Traffic.OwnTables(host).Length == 0);

        Answer answer = Engine.Run($"Start-ConntrackCapture next -NetworkNamespace {host.Name} | Remove-ConntrackCapture");

        Assert.Empty(answer.Errors);
        Assert.Single(answer.Warnings, each => each.Contains("accounting", StringComparison.Ordinal));
        Assert.Equal("0", host.ReadSetting("netfilter/nf_conntrack_acct"));
    }
}
