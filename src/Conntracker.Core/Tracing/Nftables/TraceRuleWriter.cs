namespace Conntracker.Core.Tracing.Nftables;

/// <summary>Writes the rules and set elements of a capture's own table that have packets traced. Used on the capture's thread.</summary>
/// <param name="table">The table.</param>
/// <param name="options">The capture's options.</param>
/// <param name="notices">Gets what the user should know.</param>
internal sealed class TraceRuleWriter(ConntrackerTable table, CaptureOptions options, CaptureNotices notices)
{
    /// <summary>The table's name.</summary>
    public string Table => table.Name;

    /// <summary>Creates the chains, sets and rules.</summary>
    /// <param name="capacity">How many elements each set holds.</param>
    /// <exception cref="ConntrackException">The kernel refused them.</exception>
    public void Begin(int capacity)
    {
        const string Failure = "The rules for tracing could not be created";
        string Rules(bool limitsFlows) => TraceRules.Begin(table.Name, options.Trace, options.TraceDuration, capacity, limitsFlows);
        try
        {
            table.Run(Rules(limitsFlows: true), Failure);
        }
        catch (ConntrackException) when (options.Trace == TraceMode.Flows)
        {
            // Limits in sets need Linux 5.7 and nft 0.9.5.
            table.Run(Rules(limitsFlows: false), Failure);
            notices.Add("trace-limit",
                "The kernel or libnftables does not support limits in sets. Every packet of a new flow is traced, even of large transfers.");
        }
    }

    /// <summary>Replaces the rules that select packets by queries.</summary>
    /// <param name="queries">The queries, each with the time for which its flows are traced.</param>
    /// <exception cref="ConntrackException">The kernel refused them.</exception>
    public void Select((FlowQuery Query, TimeSpan Duration)[] queries) =>
        table.Run(TraceRules.Select(table.Name, queries), "The rules that select traced packets could not be created");

    /// <summary>Has the packets of a flow traced, for this time from now on.</summary>
    /// <exception cref="ConntrackException">The kernel refused it.</exception>
    public void Choose(Flow flow, TimeSpan duration)
    {
        // An element that exists keeps its timeout, so it is removed first.
        Unchoose(flow);
        table.Run(TraceRules.Choose(table.Name, flow, duration), $"{flow} could not be traced");
    }

    /// <summary>Ends the trace of a flow, if there is one.</summary>
    public void Unchoose(Flow flow)
    {
        try
        {
            table.Run(TraceRules.Unchoose(table.Name, flow), $"The trace of {flow} could not be ended");
        }
        catch (ConntrackException)
        {
            // The element was not there, or its timeout has passed.
        }
    }
}
