using System.Reflection;
using Conntracker.Core.Conntrack;
using Conntracker.Tests.Fuzz;
using Conntracker.Tests.Fuzz.Harnesses;
using Xunit;

namespace Conntracker.Tests.Unit.Fuzz;

/// <summary>A few mutated inputs for each harness, always the same: <c>./build.sh fuzz</c> runs as many as there is time for.</summary>
public sealed class HarnessTests
{
    private const ulong Seed = 20260101;
    private const int Inputs = 2000;

    // Here nothing is measured: other tests run at the same time, and the code has just been loaded.
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(5);

    // Those of engines that make much of an input take long.
    private static readonly TimeSpan s_most = TimeSpan.FromSeconds(2);

    // Decoders that a harness reaches by another's name.
    private static readonly Dictionary<string, string> s_reachedBy = new()
    {
        ["TupleDecoder"] = "ConntrackDecoder",
        ["NftRulesetParser"] = "NftRuleset.Parse",
        ["IptablesRulesetParser"] = "IptablesRuleset.Parse",
        ["TextLineParser"] = "TextLogReader",
    };

    public static TheoryData<string> Names
    {
        get
        {
            using HarnessList all = new();
            return [.. all.Harnesses.Select(each => each.Name)];
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void No_input_ends_in_an_exception(string name)
    {
        using HarnessList all = new();
        HarnessRunner runner = new(all.Find(name), Seed, s_patience);
        Assert.Null(runner.RunCorpus()?.ToString());
        Assert.Null(runner.Run(Inputs, s_most)?.ToString());
        Assert.InRange(runner.Inputs, 64, Inputs);
    }

    [Fact]
    public void Every_decoder_and_parser_has_a_harness()
    {
        string harnesses = string.Concat(Directory.GetFiles(Path.Combine(Fixture.Root(), "tests", "Fuzz", "Harnesses"), "*.cs").Select(File.ReadAllText));
        List<string> decoders =
        [
            .. typeof(ConntrackDecoder).Assembly.GetTypes()
                .Where(each => each.Name.EndsWith("Decoder", StringComparison.Ordinal) || each.Name.EndsWith("Parser", StringComparison.Ordinal))
                .Where(each => each.GetMethods(BindingFlags.Public | BindingFlags.Static).Length > 0)
                .Select(each => s_reachedBy.GetValueOrDefault(each.Name, each.Name)),
        ];
        Assert.True(decoders.Count > 12);
        Assert.All(decoders, each => Assert.Contains(each, harnesses, StringComparison.Ordinal));
    }

    [Fact]
    public void An_input_is_made_again_by_its_number()
    {
        using HarnessList all = new();
        FuzzInput input = new();
        Harness harness = all.Find("recording");
        List<string> made = [];
        for (ulong number = 0; number < 200; number++)
        {
            harness.Make(input, Seed, number % 100);
            made.Add(Convert.ToHexString(input.Bytes));
        }

        Assert.Equal(made[..100], made[100..]);
        Assert.True(made.Distinct().Count() > 95);
    }
}
