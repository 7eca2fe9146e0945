using Conntracker.Cli;
using Xunit;

namespace Conntracker.Tests.Cli;

/// <summary><c>conntracker usage</c> without a kernel.</summary>
public sealed class UsageCommandTests : IDisposable
{
    private readonly ConsoleText _console = new();
    private readonly TempDirectory _folder = new();

    public void Dispose()
    {
        _console.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public void A_replay_shows_the_rules_of_its_recording_with_their_packets()
    {
        string path = _folder.File("usage.txt");
        Assert.Equal(ExitCode.Success, CommandLine.Invoke(["usage", "--replay", Fixture.TracedRecording, "-o", path]));
        string text = File.ReadAllText(path);
        Assert.Contains("nftables inet firewall services\n   packets     flows  rule\n", text, StringComparison.Ordinal);
        Assert.Matches(@"(?m)^ +[1-9]\d* +[1-9]\d*  2: tcp dport 22 drop comment ""no ssh""$", text);
        Assert.Matches(@"(?m)^ +\d+ +\d+  policy drop$", text);

        Assert.Equal(ExitCode.Success, CommandLine.Invoke(["usage", "--replay", Fixture.TracedRecording, "--findings", "-o", path]));
        Assert.Equal("", File.ReadAllText(path));
    }

    [Fact]
    public void A_recording_without_traces_is_said_to_show_nothing()
    {
        Assert.Equal(ExitCode.Success, CommandLine.Invoke(["usage", "--replay", Fixture.Recording, "-o", _folder.File("usage.txt")]));
        Assert.Contains("No flow was traced", _console.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--duration", "5")]
    [InlineData("--netns", "x")]
    [InlineData("--trial", "true")]
    public void What_a_replay_cannot_have_is_refused(string option, string value)
    {
        Assert.Equal(ExitCode.Usage, CommandLine.Invoke(["usage", "--replay", Fixture.TracedRecording, option, value]));
        Assert.Equal(
            [
                $"conntracker: {option} cannot be used with --replay: a replay only reads a recording.",
                "conntracker: 'conntracker usage --help' shows the options.",
            ],
            _console.ErrorLines);
    }

    [Fact]
    public void The_README_documents_each_of_its_options()
    {
        string row = Fixture.ReadMe.Split('\n').Single(line => line.StartsWith("| `usage` |", StringComparison.Ordinal));
        Assert.All(["--duration", "--netns", "--replay", "--findings", "--output"], option => Assert.Contains($"`{option}", row, StringComparison.Ordinal));
    }
}
