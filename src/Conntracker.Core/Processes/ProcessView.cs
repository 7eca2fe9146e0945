using Conntracker.Core.Decoding;
using Conntracker.Core.Flows;

namespace Conntracker.Core.Processes;

/// <summary>The processes that flows name, by their places: what a snapshot of flows needs to show them.</summary>
/// <param name="reports">The reports at their places.</param>
internal sealed class ProcessView(ProcessReport[] reports)
{
    /// <summary>Who began a flow; null when not known, or not on this host.</summary>
    public FlowProcess? Originator(EvidenceStore store, ref readonly FlowRecord record) =>
        record.Evidence == 0 ? null : At(store[record.Evidence].Process);

    /// <summary>Who answers a flow; null when not known, or not on this host.</summary>
    public FlowProcess? Responder(EvidenceStore store, ref readonly FlowRecord record) =>
        record.Evidence == 0 ? null : At(store[record.Evidence].ReplyProcess);

    private FlowProcess? At(int link) => link == 0 ? null : reports[link - 1].Process;
}
