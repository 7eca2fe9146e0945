using Conntracker.Core.Rulesets;
using Xunit;

namespace Conntracker.Tests.Unit;

/// <summary>A program that is missing or fails is told in words that help.</summary>
public sealed class ChildProgramTests
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(60);

    [Fact]
    public void A_program_is_found_and_one_that_is_not_installed_is_not()
    {
        Assert.True(Path.IsPathRooted(ChildProgram.Find("sh")));
        Assert.Null(ChildProgram.Find("conntracker-no-such-program"));
    }

    [Fact]
    public void All_of_a_long_output_is_taken_and_what_it_says_as_an_error_does_not_get_between()
    {
        string output = ChildProgram.Run(ChildProgram.Find("sh")!, "-c",
            "i=0; while [ $i -lt 20000 ]; do echo \"line $i ü\"; echo \"error $i\" >&2; i=$((i+1)); done");
        Assert.Equal(20000, output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length);
        Assert.EndsWith("line 19999 ü\n", output, StringComparison.Ordinal);
    }

    [Fact]
    public void A_program_that_fails_is_named_with_what_it_said()
    {
        string sh = ChildProgram.Find("sh")!;
        ConntrackException error = Assert.Throws<ConntrackException>(() => ChildProgram.Run(sh, "-c", "echo half; echo no permission >&2; exit 4"));
        Assert.Equal($"{sh} ended with 4: no permission.", error.Message);
        error = Assert.Throws<ConntrackException>(() => ChildProgram.Run("/conntracker-no-such-program"));
        Assert.StartsWith("/conntracker-no-such-program could not be run: ", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_program_that_goes_on_is_killed_when_nobody_wants_its_output_any_more()
    {
        using TempDirectory folder = new();
        string file = folder.File("pid");
        using CancellationTokenSource cancellation = new();
        string script = $"echo $$ > {file}.new; mv {file}.new {file}; exec sleep 1000";
        Task<string> run = Task.Run(() => ChildProgram.Run(ChildProgram.Find("sh")!, ["-c", script], s_patience, cancellation.Token));
        Eventually.Equal(() => true, () => File.Exists(file));
        string process = $"/proc/{File.ReadAllText(file).Trim()}";
        Assert.True(Directory.Exists(process));

        await cancellation.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => run.WaitAsync(s_patience));
        Assert.False(Directory.Exists(process));
    }

    [Fact]
    public void A_program_that_does_not_end_in_time_is_killed()
    {
        ConntrackException error = Assert.Throws<ConntrackException>(
            () => ChildProgram.Run(ChildProgram.Find("sleep")!, ["1000"], TimeSpan.FromMilliseconds(100), CancellationToken.None));
        Assert.EndsWith("sleep did not end within 0.1 s.", error.Message, StringComparison.Ordinal);
        Assert.IsType<TimeoutException>(error.InnerException);
    }
}
