using Conntracker.Core.Captures;

namespace Conntracker.Tests.Fuzz.Harnesses;

/// <summary>What became of a capture, as its users get it.</summary>
internal static class CollectedFlows
{
    private static readonly LogFormat[] s_formats = [LogFormat.Text, LogFormat.Csv, LogFormat.JsonLines];

    /// <summary>Makes flows of all that was collected, and writes them in each format to nowhere.</summary>
    public static void WriteAll(FlowCollector collector)
    {
        List<Flow> flows = Of(collector);
        foreach (LogFormat format in s_formats)
        {
            using IFlowWriter writer = FlowWriter.Create(Stream.Null, format);
            flows.ForEach(writer.Write);
            writer.Complete();
        }

        Must.Be(flows.Count == collector.FlowCount, "Each flow of the table is shown.");
        _ = collector.Counters;
    }

    /// <summary>The flows.</summary>
    public static List<Flow> Of(FlowCollector collector)
    {
        using FlowSnapshot snapshot = collector.Snapshot();
        List<Flow> flows = [];
        for (int slot = 0; slot < snapshot.SlotCount; slot++)
        {
            if (snapshot.ToFlow(slot, FlowQuery.All) is Flow flow)
            {
                flows.Add(flow);
            }
        }

        return flows;
    }
}
