using Conntracker.Core.Export.Text;
using Conntracker.Core.Flows;

namespace Conntracker;

/// <summary>
/// Writes the log of a snapshot. The text log is written from the table's records, because a million flow objects would cost more than the rest of
/// the work; the other formats hold every property, and get the objects one at a time.
/// </summary>
public static class SnapshotLog
{
    /// <summary>Writes the log.</summary>
    /// <param name="snapshot">The flows.</param>
    /// <param name="stream">The stream to write to; stays open.</param>
    /// <param name="format">The log's format.</param>
    /// <param name="style">The generation of a text log; other formats have none.</param>
    /// <exception cref="IOException">The stream cannot be written to.</exception>
    public static void Write(FlowSnapshot snapshot, Stream stream, LogFormat format, LogStyle style)
    {
        ArgumentNullException.ThrowIfNull(snapshot);
        ArgumentNullException.ThrowIfNull(stream);
        if (format == LogFormat.Text)
        {
            WriteText(snapshot, stream, style);
            return;
        }

        using IFlowWriter writer = FlowWriter.Create(stream, format, style);
        for (int slot = 0; slot < snapshot.SlotCount; slot++)
        {
            if (snapshot.ToFlow(slot, FlowQuery.All) is Flow flow)
            {
                writer.Write(flow);
            }
        }

        writer.Complete();
    }

    private static void WriteText(FlowSnapshot snapshot, Stream stream, LogStyle style)
    {
        TextLog log = new(style);
        for (int slot = 0; slot < snapshot.SlotCount; slot++)
        {
            ref readonly FlowRecord record = ref snapshot[slot];
            if (record.IsUsed)
            {
                Add(log, in record, record.Details == 0 || style == LogStyle.V1
                    ? null : snapshot.Trace(slot), snapshot.Originator(slot), snapshot.Responder(slot));
            }
        }

        log.Sort();
        log.WriteTo(stream);
    }

    private static void Add(TextLog log, ref readonly FlowRecord record, IReadOnlyList<TraceStep>? trace, FlowProcess? originator, FlowProcess? responder)
    {
        log.Add(LogLine.From(in record), record.IsReplied, originator ?? responder, trace);
        if (record.IsReplied)
        {
            log.AddReply(LogLine.FromReply(in record), responder ?? originator, trace);
        }
    }
}
