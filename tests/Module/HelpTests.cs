using Conntracker.Tests.Module.Support;
using Xunit;

namespace Conntracker.Tests.Module;

/// <summary>Get-Help, as the module brings it.</summary>
public sealed class HelpTests : ModuleTest
{
    /// <summary>The cmdlets.</summary>
    public static TheoryData<string> Cmdlets => [.. ImportTests.Cmdlets.Select(row => row.Data.Item1)];

    [Theory]
    [MemberData(nameof(Cmdlets))]
    public void A_cmdlet_has_every_part_of_a_help_page(string cmdlet)
    {
        // What PowerShell makes up where there is no help begins with the name of the command.
        Assert.DoesNotMatch($@"^\s*{cmdlet} ", Engine.Line($"$help = Get-Help {cmdlet} -Full; $help.Synopsis"));
        Assert.Equal(
            ["True", "True", "True", "True", "True", "True"],
            Engine.Lines("""
                "$($help.description.Text)".Length -gt 0
                "$($help.inputTypes.inputType.type.name)".Length -gt 0
                "$($help.returnValues.returnValue.type.name)".Length -gt 0
                "$($help.alertSet.alert.Text)".Length -gt 0
                "$($help.relatedLinks.navigationLink.linkText)" -match 'about_Conntracker'
                @($help.examples.example | Where-Object { $_.code -and "$($_.remarks.Text)".Trim() }).Count -ge 3
                """));
    }

    [Theory]
    [MemberData(nameof(Cmdlets))]
    public void Every_parameter_is_described_and_none_that_there_is_not(string cmdlet)
    {
        string[] parameters = Engine.Lines(
            $"(Get-Command {cmdlet}).Parameters.Keys | Where-Object {{ $_ -notin [System.Management.Automation.Cmdlet]::CommonParameters }}");
        Assert.Equal(parameters.Order(StringComparer.Ordinal), Engine.Lines($"(Get-Help {cmdlet} -Full).parameters.parameter.name")
            .Order(StringComparer.Ordinal));
        Assert.Empty(Engine.Lines($"(Get-Help {cmdlet} -Full).parameters.parameter | Where-Object {{ -not \"$($_.description.Text)\".Trim() }} | " +
            "ForEach-Object name"));
    }

    [Theory]
    [MemberData(nameof(Cmdlets))]
    public void The_types_that_a_cmdlet_emits_are_named(string cmdlet) => Assert.Empty(
        Engine.Lines($"$said = (Get-Help {cmdlet}).returnValues.returnValue.type.name; (Get-Command {cmdlet}).OutputType.Type.FullName | " +
            $"Where-Object {{ $_ -notin $said }}"));

    [Fact]
    public void About_Conntracker_is_text_of_80_columns()
    {
        string[] lines = File.ReadAllLines(Path.Join(Repository.Module, "en-US", "about_Conntracker.help.txt"));
        Assert.All(lines, line => Assert.True(line.Length <= 80, line));
        string shown = string.Concat(Engine.Show("Get-Help about_Conntracker"));
        Assert.Contains("CAP_NET_ADMIN", shown, StringComparison.Ordinal);
    }
}
