using System.Management.Automation;
using Conntracker.Tests.Module.Support;
using Xunit;

namespace Conntracker.Tests.Module;

/// <summary>What Import-Module gives a user.</summary>
public sealed class ImportTests : ModuleTest
{
    /// <summary>The cmdlets, each with its parameter sets; the first is the one that is taken when nothing tells.</summary>
    public static TheoryData<string, string> Cmdlets => new()
    {
        { "Disable-FlowTrace", "Selector Flow Id Trace" },
        { "Enable-FlowTrace", "Selector Flow" },
        { "Export-ConntrackLog", "__AllParameterSets" },
        { "Format-ConntrackLog", "__AllParameterSets" },
        { "Get-ConntrackCapture", "Name" },
        { "Get-ConntrackFlow", "Name Capture FirewallRule Live" },
        { "Get-FirewallHost", "Live Path" },
        { "Get-FirewallRule", "Loaded Path LiteralPath" },
        { "Get-FirewallRuleUsage", "Name Capture Flow" },
        { "Get-FlowTrace", "Name Capture" },
        { "Import-ConntrackLog", "Path LiteralPath" },
        { "New-ConntrackFlow", "__AllParameterSets" },
        { "New-FirewallPolicy", "__AllParameterSets" },
        { "Remove-ConntrackCapture", "Name Capture" },
        { "Start-ConntrackCapture", "Live Packet Pcap Replay" },
        { "Stop-ConntrackCapture", "Name Capture" },
        { "Test-FirewallPolicy", "Path LiteralPath Current" },
        { "Wait-ConntrackCapture", "Name Capture" },
        { "Watch-ConntrackFlow", "Name Capture Live" },
    };

    [Fact]
    public void The_module_offers_its_cmdlets_and_nothing_else()
    {
        Assert.Equal(
            Cmdlets.Select(row => row.Data.Item1),
            Engine.Lines("(Get-Module Conntracker).ExportedCommands.Keys").Order(StringComparer.Ordinal));
        Assert.Equal(["0", "0", "0"],
            Engine.Lines("$m = Get-Module Conntracker; $m.ExportedFunctions.Count; $m.ExportedAliases.Count; $m.ExportedVariables.Count"));
    }

    // What a module loads into a session, no other module can load in another version.
    [Fact]
    public void The_module_brings_one_assembly_of_others_and_uses_that_one()
    {
        Assert.Equal(
            ["Conntracker.Core.dll", "Conntracker.PowerShell.dll", "Tmds.LibC.dll"],
            Directory.EnumerateFiles(Repository.Module, "*.dll", SearchOption.AllDirectories).Select(Path.GetFileName).Order(StringComparer.Ordinal));
        Assert.Equal([Path.Combine(Repository.Module, "Tmds.LibC.dll")], Engine.Lines("""
            try { Export-ConntrackLog -Path /nosuch/folder/flows.log -ErrorAction Stop } catch { $null = $_ }
            [AppDomain]::CurrentDomain.GetAssemblies() | Where-Object { $_.GetName().Name -eq 'Tmds.LibC' } | ForEach-Object Location
            """));
    }

    [Theory]
    [MemberData(nameof(Cmdlets))]
    public void A_cmdlet_has_these_parameter_sets(string cmdlet, string sets)
    {
        string[] names = sets.Split(' ');
        Assert.Equal(names.Order(StringComparer.Ordinal), Engine.Lines($"(Get-Command {cmdlet}).ParameterSets.Name").Order(StringComparer.Ordinal));
        Assert.Equal(names.Length > 1 ? [names[0]] : names,
            Engine.Lines($"(Get-Command {cmdlet}).ParameterSets | Where-Object {{ $_.IsDefault -or {(names.Length == 1 ? "$true" : "$false")} }} | " +
                "ForEach-Object Name"));
    }

    [Theory]
    [MemberData(nameof(Cmdlets))]
    public void A_cmdlet_declares_what_it_emits_and_explains_each_parameter(string cmdlet, string sets)
    {
        Assert.NotEmpty(sets);
        Assert.NotEmpty(Engine.Lines($"(Get-Command {cmdlet}).OutputType.Type"));

        // The tooltip of its completion.
        Assert.Empty(Engine.Lines($$"""
            $common = [System.Management.Automation.Cmdlet]::CommonParameters + 'WhatIf', 'Confirm'
            (Get-Command {{cmdlet}}).Parameters.Values | Where-Object Name -notin $common | ForEach-Object {
                foreach ($set in $_.Attributes.Where({ $_ -is [Parameter] })) { if (-not $set.HelpMessage) { $_.Name } }
            }
            """));
    }

    [Theory]
    [InlineData("Disable-FlowTrace")]
    [InlineData("Enable-FlowTrace")]
    [InlineData("Export-ConntrackLog")]
    [InlineData("Remove-ConntrackCapture")]
    [InlineData("Start-ConntrackCapture")]
    [InlineData("Stop-ConntrackCapture")]
    public void What_changes_something_can_be_asked_what_it_would_do(string cmdlet) =>
        Assert.Equal(["True", "True"], Engine.Lines($"$p = (Get-Command {cmdlet}).Parameters; $p.ContainsKey('WhatIf'); $p.ContainsKey('Confirm')"));

    [Fact]
    public void Every_type_comes_from_the_modules_folder()
    {
        // Else what the tests see is not what a user gets.
        Assert.Equal(
            [Path.Join(Repository.Module, "Conntracker.Core.dll"), Path.Join(Repository.Module, "Conntracker.PowerShell.dll")],
            Engine.Lines("[Conntracker.Flow].Assembly.Location; (Get-Command Get-ConntrackFlow).ImplementingType.Assembly.Location"));
        Assert.Equal(
            ["Conntracker.Core", "Conntracker.PowerShell", "Conntracker.PowerShellHost", "Conntracker.Tests.Module"],
            AppDomain.CurrentDomain.GetAssemblies().Select(each => each.GetName().Name!)
                .Where(name => name.StartsWith("Conntracker", StringComparison.Ordinal)).Order(StringComparer.Ordinal));
    }

    // A test of a ruleset runs in a process of its own.
    [Fact]
    public void The_native_program_is_in_the_modules_folder()
    {
        FileInfo program = new(Repository.PathOf("out/conntracker"));
        Assert.SkipWhen(program.LinkTarget is not null, "This build made no native program: it has no linker or no compiler package.");
        FileInfo copy = new(Path.Join(Repository.Module, "conntracker"));
        Assert.True(copy.Exists && copy.Length == program.Length && copy.UnixFileMode.HasFlag(UnixFileMode.OtherExecute), copy.FullName);
    }

    [Fact]
    public void The_manifest_is_for_PowerShell_7_6_and_later()
    {
        Assert.Equal(
            ["7.6", "Core", "Conntracker.PowerShell.dll"],
            Engine.Lines("$m = Test-ModuleManifest (\"$module/Conntracker.psd1\"); $m.PowerShellVersion; $m.CompatiblePSEditions; $m.RootModule"));
    }

    [Fact]
    public void Importing_it_needs_no_privilege_and_starts_nothing()
    {
        ToolResult result = OtherPowerShell.RunUnprivileged("(Get-Module Conntracker).ExportedCommands.Count; @(Get-ConntrackCapture).Count");
        Assert.True(result.ExitCode == 0, result.Error);
        Assert.Equal([$"{Cmdlets.Count}", "0"], result.Lines);
    }

    [Fact]
    public void Its_errors_end_a_script_that_wants_so_and_no_other()
    {
        Assert.Equal("went on", Assert.Single(Engine.Run("Get-ConntrackCapture nobody; 'went on'").Lines));
        Assert.Empty(Engine.Run("$ErrorActionPreference = 'Stop'; Get-ConntrackCapture nobody; 'went on'").Lines);
        ErrorRecord error = Engine.Fail("try { Get-ConntrackCapture nobody -ErrorAction Stop } catch { throw $_ }",
            "CaptureNotFound", ErrorCategory.ObjectNotFound);
        Assert.Equal("nobody", error.TargetObject);
        Assert.Equal("CaptureNotFound,Conntracker.PowerShell.Commands.GetConntrackCaptureCommand", error.FullyQualifiedErrorId);
    }
}
