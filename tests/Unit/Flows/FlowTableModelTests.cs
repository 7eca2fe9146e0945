using System.Globalization;
using Xunit;

namespace Conntracker.Tests.Unit;

/// <summary>
/// Random histories against a simple model. Without CONNTRACKER_MODEL_STEPS in the environment a fifth of a million steps are made; a million take some
/// seconds. A history that fails says its seed, its shortest prefix, and what had happened to the flow that differs.
/// </summary>
public sealed class FlowTableModelTests(ITestOutputHelper output)
{
    private const int CompareEvery = 4096;
    private const int TellLast = 40;

    private const int Histories = 12;

    // Of each history.
    private static readonly int s_steps =
        int.Parse(Environment.GetEnvironmentVariable("CONNTRACKER_MODEL_STEPS") ?? "200000", CultureInfo.InvariantCulture) / Histories;

    // Four that are always the same, and one that is not.
    public static TheoryData<int> Seeds => [1, 2, 3, 1734517005, Random.Shared.Next()];

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Every_flow_is_as_events_dumps_and_traces_have_it(int seed) => RunTable(seed, lossPercent: 0);

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Every_flow_is_as_it_can_be_known_when_events_were_lost(int seed) => RunTable(seed, lossPercent: 20);

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Nothing_is_lost_or_counted_twice_when_flows_are_folded(int seed)
    {
        output.WriteLine($"Seed {seed}.");
        (int Step, string Difference)? failed = RunFolding(seed, s_steps, CompareEvery, 0);
        if (failed is (int step, _))
        {
            (int first, string difference) = RunFolding(seed, step, 1, step - CompareEvery) ?? failed.Value;
            Assert.Fail($"Seed {seed} fails after {first} steps: {difference}");
        }
    }

    private void RunTable(int seed, int lossPercent)
    {
        output.WriteLine($"Seed {seed}.");
        using FlowTableHistory history = new(seed, lossPercent);
        for (int step = 1; step <= s_steps; step++)
        {
            string? difference = history.Step() ?? (step % CompareEvery == 0 ? history.CompareAll() : null);
            if (difference is not null)
            {
                Fail(seed, lossPercent, step, history);
            }
        }

        Assert.Null(history.CompareWithKernel());
    }

    private static void Fail(int seed, int lossPercent, int steps, FlowTableHistory failed)
    {
        // Once more, and now all flows are compared after each of the last steps.
        using FlowTableHistory again = new(seed, lossPercent) { Watched = failed.Differing };
        string? difference = null;
        int step = 0;
        while (step < steps && difference is null)
        {
            step++;
            difference = again.Step() ?? (step > steps - CompareEvery ? again.CompareAll() : null);
        }

        Assert.Fail($"Seed {seed} with {lossPercent} % lost fails after {step} steps: {difference}\n{string.Join('\n', again.Told.TakeLast(TellLast))}");
    }

    private static (int Step, string Difference)? RunFolding(int seed, int steps, int compareEvery, int compareFrom)
    {
        using FoldingHistory history = new(seed);
        for (int step = 1; step <= steps; step++)
        {
            if ((history.Step() ?? (step >= compareFrom && step % compareEvery == 0 ? history.CompareAll() : null)) is string difference)
            {
                return (step, difference);
            }
        }

        string? end = steps == s_steps ? history.End() : null;
        Assert.True(history.Folded > steps / 100 || steps < CompareEvery, $"Only {history.Folded} flows were folded.");
        return end is null ? null : (steps, end);
    }
}
