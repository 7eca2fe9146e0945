using System.Collections;
using Conntracker.Cli;
using Xunit;

namespace Conntracker.Tests.Cli;

/// <summary>Runs of recordings and capture files, and how a run fails: one line on standard error, and exit code 1.</summary>
public sealed class RunTests : IDisposable
{
    private readonly TempDirectory _folder = new();
    private readonly ConsoleText _console = new();

    private string Log => _folder.File("flows.log");

    public void Dispose()
    {
        _console.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public void A_replay_writes_its_log_and_says_how_many_flows_it_has()
    {
        Assert.Equal(ExitCode.Success, CommandLine.Invoke(["--replay", Fixture.Recording, "-o", Log]));
        Assert.Matches(@"^conntracker: wrote the log of [1-9]\d* flows to '" + Log + @"'\.\n$", _console.Error);
        Assert.Contains("src = ", File.ReadAllText(Log), StringComparison.Ordinal);
    }

    [Fact]
    public void A_quiet_run_says_nothing_and_counters_go_to_standard_error()
    {
        Assert.Equal(ExitCode.Success, CommandLine.Invoke(["--replay", Fixture.Recording, "-o", Log, "-q"]));
        Assert.Equal("", _console.Error);

        Assert.Equal(ExitCode.Success, CommandLine.Invoke(["--replay", Fixture.Recording, "-o", Log, "-q", "--stats"]));
        Assert.Matches(@"^Flows: +[1-9]\d*\nEvents: +[1-9]\d*\n", _console.Error);
        Assert.Equal("", _console.Output);
    }

    [Fact]
    public void A_capture_file_is_read_to_its_end()
    {
        Assert.Equal(ExitCode.Success, CommandLine.Invoke(["--pcap", Fixture.CaptureFile, "-o", Log]));
        Assert.Equal(2, _console.ErrorLines.Length);
        Assert.Equal(
            $"conntracker: reading packets from '{Fixture.CaptureFile}'. It ends with the file, or earlier with Ctrl+C or SIGTERM. The log goes to '{Log}'.",
            _console.ErrorLines[0]);
    }

    [Fact]
    public void A_replay_becomes_a_tree_without_a_log()
    {
        string tree = _folder.File("tree");
        Assert.Equal(ExitCode.Success, CommandLine.Invoke(["--replay", Fixture.Recording, "--tree", tree]));
        Assert.NotEmpty(Directory.GetFiles(tree, "*", SearchOption.AllDirectories));
        Assert.Equal([tree], Directory.GetFileSystemEntries(_folder.Path));
        Assert.Equal("", _console.Error);
    }

    [Fact]
    public void An_unexpected_exception_at_the_start_is_one_line_that_names_its_place_and_nothing_is_written()
    {
        RunOptions options = TestCommandLine.Read("--replay", Fixture.Recording, "-o", Log);

        CaptureOptions faulty = new() { ReplayPath = Fixture.Recording, LocalAddresses = new FaultyList() };
        Assert.Equal(ExitCode.Failed, Run.Execute(options with { Capture = faulty }));

        string line = Assert.Single(_console.ErrorLines);
        Assert.StartsWith($"conntracker: unexpected NotSupportedException at {typeof(RunTests).FullName}.", line, StringComparison.Ordinal);
        Assert.EndsWith(": first second", line, StringComparison.Ordinal);
        Assert.Equal(2, line.Split(" at ").Length);
        Assert.Equal("", _console.Output);
        Assert.Empty(Directory.GetFileSystemEntries(_folder.Path));
    }

    [Fact]
    public void An_argument_that_the_engine_refuses_in_several_lines_is_one_line()
    {
        RunOptions options = TestCommandLine.Read("--replay", Fixture.Recording, "-o", Log);
        Assert.Equal(ExitCode.Failed, Run.Execute(options with { Capture = new CaptureOptions { ReplayPath = Fixture.Recording, MaximumFlows = 1 } }));
        string line = Assert.Single(_console.ErrorLines);
        Assert.StartsWith("conntracker: MaximumFlows ('1') must be greater than or equal to '1024'.", line, StringComparison.Ordinal);
        Assert.EndsWith("Actual value was 1.", line, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--replay")]
    [InlineData("--pcap")]
    public void A_file_that_is_missing_is_named_in_one_line_and_leaves_no_log(string option)
    {
        Assert.Equal(ExitCode.Failed, CommandLine.Invoke([option, "/nowhere/capture", "-o", Log]));
        Assert.Contains("/nowhere/capture", Assert.Single(_console.ErrorLines), StringComparison.Ordinal);
        Assert.Empty(Directory.GetFileSystemEntries(_folder.Path));
    }

    // The engine enumerates the addresses of its options, and has no reason to expect this of them.
    private sealed class FaultyList : IReadOnlyList<AddressRange>
    {
        public int Count => 1;

        public AddressRange this[int index] => throw Defect();

        public IEnumerator<AddressRange> GetEnumerator() => throw Defect();

        IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

        private static NotSupportedException Defect() => new("first\nsecond");
    }
}
