using Conntracker.Core.Export.Csv;
using Conntracker.Core.Export.Json;
using Conntracker.Core.Export.Text;

namespace Conntracker;

/// <summary>Creates the writer of a format.</summary>
public static class FlowWriter
{
    /// <summary>
    /// Creates a writer. JSON and CSV are written flow by flow; the text log is sorted, so it is written when the writer is completed.
    /// </summary>
    /// <param name="stream">The stream to write to.</param>
    /// <param name="format">The format.</param>
    /// <param name="style">The generation of the text log; other formats ignore it.</param>
    public static IFlowWriter Create(Stream stream, LogFormat format, LogStyle style = LogStyle.V3)
    {
        ArgumentNullException.ThrowIfNull(stream);
        return format switch
        {
            LogFormat.Text when style is LogStyle.V1 or LogStyle.V2 or LogStyle.V3 => new TextFlowWriter(stream, style),
            LogFormat.Text => throw new ArgumentOutOfRangeException(nameof(style), style, "The versions of the text log are V1, V2 and V3."),
            LogFormat.Json => new JsonFlowWriter(stream, array: true),
            LogFormat.JsonLines => new JsonFlowWriter(stream, array: false),
            LogFormat.Csv => new CsvFlowWriter(stream),
            LogFormat.Tree => throw new ArgumentOutOfRangeException(nameof(format), format, "A tree is written to a directory (FlowTree), not to a stream."),
            _ => throw new ArgumentOutOfRangeException(nameof(format), format, "The format must be Text, Json, JsonLines or Csv."),
        };
    }
}
