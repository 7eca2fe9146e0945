using Conntracker.Core.Flows;

namespace Conntracker.Core.Processes;

/// <summary>The processes that flows name, by slot: what a snapshot of flows needs to show them.</summary>
/// <param name="reports">The reports by slot.</param>
internal sealed class ProcessSnapshot(ProcessReport[] reports)
{
    /// <summary>The process that replies; null when not known, or not on this host.</summary>
    public FlowProcess? Responder(FlowDetailStore store, ref readonly FlowRecord record) =>
        record.Details == 0 ? null : At(store[record.Details].ReplyProcess);

    /// <summary>
    /// The process that a flow shows as its own: the originator's, else the responder's. An inbound flow with a known responder shows the responder:
    /// a report of another network namespace about a remote host's address ranks behind it.
    /// </summary>
    public FlowProcess? Shown(FlowDetailStore store, ref readonly FlowRecord record, FlowDirection direction)
    {
        FlowProcess? responder = Responder(store, in record);
        int link = record.Details == 0 ? 0 : store[record.Details].Process;
        bool isElsewhere = link > 0 && reports[link - 1].Scope == SocketScope.Elsewhere;
        return direction == FlowDirection.In && responder is not null && isElsewhere ? responder : At(link) ?? responder;
    }

    private FlowProcess? At(int link) => link <= 0 ? null : reports[link - 1].Process;
}
