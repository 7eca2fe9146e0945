using Conntracker.Core.Captures;
using Conntracker.Core.Flows;
using Xunit;
using static Conntracker.Core.Native.NftablesConstants;

namespace Conntracker.Tests.Unit;

/// <summary>What is kept of traces beside the flows: bounded, given back, and merged where flows are folded.</summary>
public sealed class FlowDetailStoreTests
{
    private const string Rules = """
        table inet fw { # handle 1
        	chain forward { # handle 1
        		type filter hook forward priority filter; policy drop;
        		tcp dport 22 drop # handle 6
        	}
        }
        """;

    [Fact]
    public void More_distinct_steps_than_a_flow_keeps_are_left_out_and_known_ones_go_on_counting()
    {
        using FlowDetailStore store = new();
        FlowRecord record = default;
        ref FlowDetails details = ref store.Of(ref record);
        for (int step = 0; step < FlowDetailStore.MaximumSteps; step++)
        {
            store.AddStep(ref details, step, 1, ofOriginator: false);
        }

        Assert.Equal(FlowDetailFlags.None, details.Flags);
        store.AddStep(ref details, FlowDetailStore.MaximumSteps, 1, ofOriginator: true);
        store.AddStep(ref details, 5, uint.MaxValue, ofOriginator: true);
        Assert.Equal(FlowDetailFlags.StepsLeftOut, details.Flags);
        List<(int Step, uint Packets, bool OfOriginator)> steps = [.. Walk(store, in details)];
        Assert.Equal(Enumerable.Range(0, FlowDetailStore.MaximumSteps), steps.Select(each => each.Step));
        Assert.Equal((uint.MaxValue, true), (steps[5].Packets, steps[5].OfOriginator));
        Assert.Equal((1u, false), (steps[6].Packets, steps[6].OfOriginator));
    }

    [Fact]
    public void What_is_given_back_is_used_again_and_empty()
    {
        using FlowDetailStore store = new();
        for (int round = 0; round < 3; round++)
        {
            FlowRecord record = default;
            ref FlowDetails details = ref store.Of(ref record);
            Assert.Equal(1, record.Details);
            Assert.Empty(Walk(store, in details));
            for (int step = 0; step < 20; step++)
            {
                store.AddStep(ref details, step, 1, ofOriginator: true);
            }

            Assert.InRange(details.Steps, 1, 4);
            store.Free(record.Details);
        }

        store.Free(0);
    }

    [Fact]
    public void Merged_evidence_has_the_sum_of_both_and_keeps_its_own_verdict()
    {
        using FlowDetailStore store = new();
        FlowRecord first = default;
        FlowRecord second = default;
        store.AddStep(ref store.Of(ref first), 1, 2, ofOriginator: false);
        store.Of(ref first).DecidingStep = 2;
        store.AddStep(ref store.Of(ref second), 7, 1, ofOriginator: false);
        store.AddStep(ref store.Of(ref second), 1, 3, ofOriginator: true);
        store.Of(ref second).DecidingStep = 8;
        store.Of(ref second).Flags = FlowDetailFlags.Passed;
        store.Merge(ref first, second.Details);
        Assert.Equal([(1, 5u, true), (7, 1u, false)], Walk(store, in store[first.Details]));
        Assert.Equal((2, FlowDetailFlags.Passed), (store[first.Details].DecidingStep, store[first.Details].Flags));
        FlowRecord without = default;
        store.Merge(ref without, 0);
        Assert.Equal(0, without.Details);
        store.Merge(ref without, second.Details);
        Assert.Equal((8, 2), (store[without.Details].DecidingStep, Walk(store, in store[without.Details]).Count));
    }

    [Fact]
    public void A_copy_does_not_change_with_its_original()
    {
        using FlowDetailStore store = new();
        using FlowDetailStore copy = new();
        FlowRecord[] records = new FlowRecord[20_000];
        for (int i = 0; i < records.Length; i++)
        {
            store.AddStep(ref store.Of(ref records[i]), i, 1, ofOriginator: true);
        }

        store.CopyTo(copy);
        store.AddStep(ref store.Of(ref records[19_999]), 5, 1, ofOriginator: true);
        store.Free(records[0].Details);
        Assert.Equal([(19_999, 1u, true)], Walk(copy, in copy[records[19_999].Details]));
        Assert.Equal([(0, 1u, true)], Walk(copy, in copy[records[0].Details]));
    }

    [Fact]
    public void A_flood_of_dropped_flows_keeps_the_flow_limit_counts_each_one_and_does_not_grow()
    {
        const int Limit = CaptureOptions.MinimumOfMaximumFlows;
        const int Flood = 40 * Limit;
        using TraceProbe probe = new();
        probe.Rules(Rules);
        int highest = 0;
        for (int i = 0; i < Flood; i++)
        {
            probe.Packet(new PacketHeader { Src = $"10.0.{i / 50000}.1", SrcPort = (ushort)(2000 + (i % 50000)), DstPort = 22 })
                .First().Rule("inet fw forward", 6, NF_DROP);
            FlowTable table = Table(probe.Collector);
            Assert.True(table.Count <= Limit);
            if (i == 2 * Limit)
            {
                highest = Details(table);
            }
        }

        Assert.True(Details(Table(probe.Collector)) <= highest + 1, $"{Details(Table(probe.Collector))} places for details, {highest} at first");
        List<Flow> flows = probe.Flows();
        Assert.Equal(Flood, flows.Sum(each => each.Connections));
        Assert.All(flows, each => Assert.Equal(FlowVerdict.Dropped, each.Verdict));
        Flow folded = flows.First(each => each.Folding != FlowFolding.None);
        Assert.Equal((FlowState.Closed, (long)folded.Connections), (folded.State, folded.Trace.Single().Packets!.Value));
        Assert.Equal(Flood - flows.Count, probe.Collector.Counters.Folded);
    }

    [Fact]
    public void A_dropped_flow_whose_key_others_are_folded_into_is_closed_and_not_there_twice()
    {
        const int Limit = CaptureOptions.MinimumOfMaximumFlows;
        using TraceProbe probe = new();
        probe.Rules(Rules);

        // Nothing is younger than the one with port 0, so that it is not folded itself, but others are into its key.
        for (int i = 0; i < 2 * Limit; i++)
        {
            probe.Packet(new PacketHeader { SrcPort = 0, DstPort = 22 }).First().Rule("inet fw forward", 6, NF_DROP);
            probe.Packet(new PacketHeader { SrcPort = (ushort)(2000 + i), DstPort = 22 }).First().Rule("inet fw forward", 6, NF_DROP);
        }

        List<Flow> zero = [.. probe.Flows().Where(each => each.SrcPort is null or 0)];
        Assert.Equal(FlowState.Closed, Assert.Single(zero).State);
    }

    private static FlowTable Table(FlowCollector collector) =>
        (FlowTable)typeof(FlowCollector)
            .GetField("_table", System.Reflection.BindingFlags.NonPublic | System.Reflection.BindingFlags.Instance)!.GetValue(collector)!;

    private static int Details(FlowTable table) =>
        (int)typeof(FlowDetailStore)
            .GetField("_detailCount", System.Reflection.BindingFlags.NonPublic | System.Reflection.BindingFlags.Instance)!.GetValue(table.Details)!
        + (int)typeof(FlowDetailStore)
            .GetField("_chunkCount", System.Reflection.BindingFlags.NonPublic | System.Reflection.BindingFlags.Instance)!.GetValue(table.Details)!;

    private static List<(int Step, uint Packets, bool OfOriginator)> Walk(FlowDetailStore store, ref readonly FlowDetails details)
    {
        List<(int, uint, bool)> steps = [];
        foreach ((int Step, uint Packets, bool OfOriginator) step in store.Steps(in details))
        {
            steps.Add(step);
        }

        return steps;
    }
}
