using System.CommandLine;
using Conntracker.Cli;
using Xunit;

namespace Conntracker.Tests.Cli;

/// <summary>The command line of 'conntracker try': what each option asks for, and what does not go together.</summary>
public sealed class TryOptionsTests
{
    public static TheoryData<string, string, string> Options => new()
    {
        { "a.nft", "Paths", "a.nft" },
        { "rules.v4 rules.v6", "Paths", "rules.v4 rules.v6" },
        { "a.nft", "Switches", "reply" },
        { "a.nft", "Compares", "False" },
        { "a.nft", "Format", "Text" },
        { "a.nft", "HostPath", "" },
        { "a.nft", "FlowsPath", "" },
        { "a.nft", "ReplayPath", "" },
        { "a.nft", "Duration", "" },
        { "--current", "Switches", "current reply" },
        { "--current", "Paths", "" },
        { "--compare old.nft new.nft", "OldPaths", "old.nft" },
        { "--compare old.nft new.nft", "Paths", "new.nft" },
        { "--compare old.v4 --compare old.v6 new.v4 new.v6", "OldPaths", "old.v4 old.v6" },
        { "--compare old.v4 --compare old.v6 new.v4 new.v6", "Paths", "new.v4 new.v6" },
        { "--compare old.nft new.nft", "Compares", "True" },
        { "a.nft --compare-current", "Switches", "compare-current reply" },
        { "a.nft --compare-current", "Compares", "True" },
        { "a.nft --host h.json", "HostPath", "h.json" },
        { "a.nft --netns blue", "NetworkNamespace", "blue" },
        { "a.nft --flows f.log", "FlowsPath", "f.log" },
        { "a.nft --flows -", "FlowsPath", "-" },
        { "a.nft --replay r.ctrec", "ReplayPath", "r.ctrec" },
        { "a.nft --duration 1.5", "Duration", "00:00:01.5000000" },
        { "a.nft --format JSON", "Format", "Json" },
        { "a.nft --changed", "Switches", "changed reply" },
        { "a.nft --no-reply", "Switches", "" },
        { "a.v4 --iptables-nft", "Switches", "iptables-nft reply" },
    };

    public static TheoryData<string, string> Refused => new()
    {
        { "", "no ruleset is given: name its files, or use --current." },
        { "--current a.nft", "--current cannot be used with files: either is the ruleset to test." },
        { "a.nft --compare b.nft --compare-current", "--compare cannot be used with --compare-current." },
        { "a.nft --flows f --replay r", "--flows cannot be used with --replay: the flows come from one of them." },
        { "a.nft --replay r --duration 1", "--replay cannot be used with --duration: the flows come from one of them." },
        { "a.nft --duration 0", "--duration: '0' is not a number of seconds above 0." },
        { "a.nft --format xml", "--format: 'xml' is not one of text, json." },
    };

    [Theory]
    [MemberData(nameof(Options))]
    public void An_option_asks_for_this(string arguments, string what, string expected) => Assert.Equal(expected, Part(Read(arguments), what));

    [Theory]
    [MemberData(nameof(Refused))]
    public void What_does_not_go_together_is_refused_with_exit_code_2(string arguments, string message)
    {
        using ConsoleText console = new();
        Assert.Equal(ExitCode.Usage, CommandLine.Invoke(["try", .. arguments.Split(' ', StringSplitOptions.RemoveEmptyEntries)]));
        Assert.Equal([$"conntracker: {message}", "conntracker: 'conntracker try --help' shows the options."], console.ErrorLines);
    }

    [Theory]
    [InlineData(0, 0, 0)]
    [InlineData(2, 0, 3)]
    [InlineData(2, 1, 3)]
    [InlineData(0, 1, 4)]
    public void The_exit_code_says_whether_a_verdict_changes_or_is_unknown(long changed, long unknown, int code) =>
        Assert.Equal(code, TryRun.CodeOf(changed, unknown));

    [Fact]
    public void Each_option_has_a_description_that_ends_without_a_full_stop() =>
        Assert.All(new TryCommand().Command.Options, option => Assert.Matches(@"\S+ .*[^.\s]$", option.Description));

    [Fact]
    public void The_README_has_the_exit_codes() =>
        Assert.All(new[] { ExitCode.Changed, ExitCode.Unknown }, code => Assert.Contains($"\n| {code} | ", Fixture.ReadMe, StringComparison.Ordinal));

    private static string Part(TryOptions options, string what) => what switch
    {
        "Paths" => string.Join(' ', options.Test.Paths),
        "OldPaths" => string.Join(' ', options.Test.OldPaths),
        "Compares" => options.Test.Compares.ToString(),
        "NetworkNamespace" => options.Test.NetworkNamespace ?? "",
        "HostPath" => options.HostPath ?? "",
        "FlowsPath" => options.FlowsPath ?? "",
        "ReplayPath" => options.ReplayPath ?? "",
        "Duration" => options.Duration.ToString() ?? "",
        "Format" => options.Format.ToString(),
        _ => string.Join(' ', Switches(options.Test)),
    };

    private static IEnumerable<string> Switches(FirewallPolicyTestOptions test) =>
        new[]
        {
            (test.UsesCurrent, "current"), (test.ComparesWithCurrent, "compare-current"), (test.OnlyChanged, "changed"), (test.UsesIptablesNft, "iptables-nft"),
            (test.TestsReplies, "reply"),
        }
        .Where(each => each.Item1).Select(each => each.Item2);

    private static TryOptions Read(string arguments)
    {
        TryCommand options = new();
        ParseResult parsed = options.Command.Parse(arguments);
        Assert.Empty(parsed.Errors.Select(error => error.Message));
        return options.Bind(parsed);
    }
}
