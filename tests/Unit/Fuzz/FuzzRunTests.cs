using System.Text.RegularExpressions;
using Conntracker.Tests.Fuzz;
using Xunit;

namespace Conntracker.Tests.Unit.Fuzz;

/// <summary>The fuzzer itself: what it is there for, it notices, and what it noticed can be run again.</summary>
public sealed partial class FuzzRunTests : IDisposable
{
    private static readonly TimeSpan s_time = TimeSpan.FromSeconds(60);

    private readonly TempDirectory _folder = new();
    private readonly StringWriter _output = new();

    /// <inheritdoc/>
    public void Dispose()
    {
        _folder.Dispose();
        _output.Dispose();
    }

    [Fact]
    public void A_decoder_that_throws_is_noticed_and_its_input_kept()
    {
        Harness harness = Harness(input => _ = input.IndexOf("x"u8) >= 0 ? throw new InvalidOperationException("behind the end") : 0);
        Assert.False(Run(harness));
        string output = _output.ToString();
        Assert.Contains("broken: System.InvalidOperationException: behind the end", output, StringComparison.Ordinal);
        Match match = FindingLine().Match(output);
        Assert.True(match.Success, output);
        Assert.Equal(7ul, ulong.Parse(match.Groups["seed"].Value, null));

        // The file holds it, and its number makes it again.
        byte[] kept = File.ReadAllBytes(match.Groups["path"].Value);
        FuzzInput again = new();
        harness.Make(again, 7, ulong.Parse(match.Groups["number"].Value, null));
        Assert.Equal(kept, again.Bytes.ToArray());
        Assert.Contains("behind the end", new HarnessRunner(harness, 0, HarnessRunner.Patience).RunOne(kept), StringComparison.Ordinal);
    }

    [Fact]
    public void An_input_that_takes_too_long_each_time_is_noticed() =>
        Assert.Contains("in a row", Finding(_ => Work(HarnessRunner.Patience * 2)), StringComparison.Ordinal);

    [Fact]
    public void An_input_that_takes_long_once_is_not()
    {
        int calls = 0;
        HarnessRunner runner = new(Harness(_ => Work(calls++ == 0 ? HarnessRunner.Patience * 2 : TimeSpan.Zero)), 7, HarnessRunner.Patience);
        Assert.Null(runner.RunOne([1, 2, 3]));
        Assert.Null(runner.RunOne([1, 2, 3]));
    }

    [Fact]
    public void An_input_for_which_too_much_is_allocated_is_noticed() =>
        Assert.Contains("allocates", Finding(_ => GC.KeepAlive(new byte[HarnessRunner.MaximumAllocation])), StringComparison.Ordinal);

    [Fact]
    public void A_run_without_a_finding_ends_with_a_table_and_leaves_no_file()
    {
        Assert.True(new FuzzRun([Harness(_ => { })], 7, _folder.Path, _output).Run(s_time, inputs: 1000, workers: 2));
        Assert.Matches(@"(?m)^broken +[\d,]+ +[\d,]+ +\d+\.\d{3} ms +[\d,]+ bytes\n[\d,]+ inputs, seed 7, 0 failed$", _output.ToString());
        Assert.Empty(Directory.GetFiles(_folder.Path));
    }

    private static Harness Harness(Action<ReadOnlySpan<byte>> run) =>
        new("broken", ["abc"u8.ToArray(), "abcdefgh"u8.ToArray()], new ByteMutator("x"u8.ToArray()), run);

    private static string? Finding(Action<ReadOnlySpan<byte>> run) => new HarnessRunner(Harness(run), 7, HarnessRunner.Patience).Run(1, s_time)?.Reason;

    private static void Work(TimeSpan time)
    {
        for (TimeSpan began = ThreadClock.Now; ThreadClock.Now - began < time;)
        {
        }
    }

    private bool Run(Harness harness) => new FuzzRun([harness], 7, _folder.Path, _output).Run(s_time, long.MaxValue, workers: 1);

    [GeneratedRegex(@"seed (?<seed>\d+), input (?<number>\d+), \d+ bytes\n  The input: (?<path>.+)")]
    private static partial Regex FindingLine();
}
