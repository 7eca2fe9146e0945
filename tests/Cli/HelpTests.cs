using System.CommandLine;
using System.Text.RegularExpressions;
using Conntracker.Cli;
using Xunit;

namespace Conntracker.Tests.Cli;

/// <summary>The help, the README and the options that there are agree.</summary>
public sealed partial class HelpTests
{
    [Fact]
    public void The_help_lists_each_option_once_with_all_its_names()
    {
        string[] expected = [.. new CommandLineOptions().All.Select(NamesOf).Order(StringComparer.Ordinal)];
        Assert.Equal(expected, ListedByHelp().Select(line => line.Names).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Each_option_has_a_description_that_ends_without_a_full_stop() =>
        Assert.All(ListedByHelp(), line => Assert.Matches(@"\S+ .*[^.\s]$", line.Description));

    [Fact]
    public void The_README_documents_each_option_once_and_no_other()
    {
        string[] expected = [.. AllNames().Except(["-?", "/?", "/h", "--help"]).Order(StringComparer.Ordinal)];
        string[] documented = [.. DocumentedRows().SelectMany(row => OptionName().Matches(row).Select(match => match.Value)).Order(StringComparer.Ordinal)];
        Assert.Equal(expected, documented);
    }

    [Fact]
    public void The_README_writes_an_options_value_as_the_help_does()
    {
        Dictionary<string, string> ofHelp = new CommandLineOptions().All.Where(option => option.HelpName is not null)
            .ToDictionary(option => option.Name, option => option.HelpName!);
        Dictionary<string, string> ofReadMe = DocumentedRows().SelectMany(row => OptionWithValue().Matches(row))
            .ToDictionary(match => match.Groups[1].Value, match => match.Groups[2].Value.Replace("\\|", "|", StringComparison.Ordinal));
        Assert.Equal(ofHelp, ofReadMe);
    }

    [Fact]
    public void Each_option_that_another_text_of_the_README_mentions_exists()
    {
        CommandLineOptions options = new();
        string[] names = [.. options.All.Concat(options.Commands.SelectMany(each => each.Options)).SelectMany(each => each.Aliases.Append(each.Name))];
        string[] mentioned = [.. ProgramCall().Matches(Fixture.ReadMe).SelectMany(call => OptionName().Matches(call.Value)).Select(match => match.Value)];
        Assert.Contains("--duration", mentioned);
        Assert.Contains("--tree", mentioned);
        Assert.All(mentioned, name => Assert.Contains(name, names));
    }

    [Theory]
    [InlineData("--help")]
    [InlineData("-h")]
    [InlineData("-?")]
    [InlineData("--version")]
    public void Help_and_version_go_to_standard_output_with_exit_code_0(string option)
    {
        using ConsoleText console = new();
        Assert.Equal(ExitCode.Success, CommandLine.Invoke([option]));
        Assert.Equal("", console.Error);
        Assert.NotEqual("", console.Output);
    }

    private static IEnumerable<string> AllNames() => new CommandLineOptions().All.SelectMany(option => option.Aliases.Append(option.Name));

    // As System.CommandLine lists them: short names first, then the name of the value.
    private static string NamesOf(Option option) => string.Join(", ", option.Aliases.Append(option.Name).Where(name => name[0] == '-')
        .OrderBy(name => name.StartsWith("--", StringComparison.Ordinal)).ThenBy(name => name, StringComparer.Ordinal))
        + (option.HelpName is null ? "" : $" <{option.HelpName}>");

    private static (string Names, string Description)[] ListedByHelp()
    {
        using ConsoleText console = new();
        Assert.Equal(ExitCode.Success, CommandLine.Invoke(["--help"]));
        return [.. HelpLine().Matches(console.Output).Select(match => (match.Groups[1].Value, match.Groups[2].Value))];
    }

    // The first column of the table that begins with "| Option |".
    private static IEnumerable<string> DocumentedRows() => Fixture.ReadMe.Split('\n')
        .SkipWhile(line => !line.StartsWith("| Option |", StringComparison.Ordinal)).Skip(2)
        .TakeWhile(line => line.StartsWith('|'))
        .Select(line => FirstCell().Match(line).Value);

    [GeneratedRegex(@"(?m)^  (-.*?)(?:  +(.*))?$")]
    private static partial Regex HelpLine();

    [GeneratedRegex(@"^\|(?:\\\||[^|])*\|")]
    private static partial Regex FirstCell();

    [GeneratedRegex(@"(?<![\w-])--?[a-z][a-z-]*")]
    private static partial Regex OptionName();

    [GeneratedRegex(@"(--[a-z-]+) ([^`]+)`")]
    private static partial Regex OptionWithValue();

    [GeneratedRegex(@"(?m)out/conntracker .*$")]
    private static partial Regex ProgramCall();
}
