using System.CommandLine;
using Conntracker.Cli;
using Xunit;

namespace Conntracker.Tests.Cli;

/// <summary>The commands beside the capture, and <c>conntracker host</c>.</summary>
public sealed class HostCommandTests : IDisposable
{
    private readonly TempDirectory _folder = new();
    private readonly ConsoleText _console = new();

    public void Dispose()
    {
        _console.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public void The_README_documents_each_command_with_all_its_options()
    {
        string[] rows = [.. Fixture.ReadMe.Split('\n').SkipWhile(line => line != "| Command | Meaning |").Skip(2).TakeWhile(line => line.StartsWith('|'))];
        Command[] commands = [.. new CommandLineOptions().Commands];
        Assert.Equal(commands.Select(each => each.Name), rows.Select(row => row.Split('`')[1]));
        foreach ((Command command, string row) in commands.Zip(rows))
        {
            Assert.All(command.Options.Where(option => option is not System.CommandLine.Help.HelpOption), option =>
                Assert.Contains(
                    option.HelpName is null ? $"`{option.Name}`" : $"`{option.Name} {option.HelpName.Replace("|", "\\|", StringComparison.Ordinal)}`",
                    row,
                    StringComparison.Ordinal));
            Assert.All(command.Options, option => Assert.Matches(@"\S+ .*[^.\s]$", option.Description));
        }
    }

    [Fact]
    public void The_help_of_the_program_lists_each_command()
    {
        Assert.Equal(ExitCode.Success, CommandLine.Invoke(["--help"]));
        Assert.All(new CommandLineOptions().Commands, each => Assert.Contains($"\n  {each.Name} ", _console.Output, StringComparison.Ordinal));
    }

    [Fact]
    public void The_description_is_written_to_a_file_without_privileges()
    {
        string path = _folder.File("host.json");
        Assert.Equal(ExitCode.Success, CommandLine.Invoke(["host", "-o", path]));

        FirewallHost host = FirewallHost.Load(path);
        Assert.Equal("lo", host.Interfaces[0].Name);
        Assert.Equal(File.ReadAllText("/proc/sys/net/ipv4/ip_forward").Trim(), host.Settings["net.ipv4.ip_forward"]);
        Assert.Equal(host.Notices.Select(each => $"conntracker: note: {each}"), _console.ErrorLines);
    }

    [Fact]
    public void A_namespace_that_is_not_there_is_one_line_and_exit_code_1()
    {
        string path = _folder.File("host.json");
        Assert.Equal(ExitCode.Failed, CommandLine.Invoke(["host", "--netns", "nosuch", "-o", path]));
        Assert.StartsWith("conntracker: The network namespace 'nosuch' cannot be opened", Assert.Single(_console.ErrorLines), StringComparison.Ordinal);
        Assert.False(File.Exists(path));
    }

    [Fact]
    public void An_option_of_the_capture_is_none_of_the_command()
    {
        Assert.Equal(ExitCode.Usage, CommandLine.Invoke(["host", "--trace"]));
        Assert.Equal("conntracker: 'conntracker host --help' shows the options.", _console.ErrorLines[^1]);
    }
}
