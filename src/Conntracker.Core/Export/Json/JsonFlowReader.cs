using System.Text.Json;
using Conntracker.Core.Export.Common;

namespace Conntracker.Core.Export.Json;

/// <summary>Reads flows from JSON: an array, or one object per line. Neither is ever held in memory as a whole.</summary>
internal static class JsonFlowReader
{
    private const int LongestObject = 16 * 1024 * 1024;

    /// <summary>Reads lines. A line that is not a flow is reported, and reading continues below it.</summary>
    public static IEnumerable<Flow> ReadLines(InputBuffer input, Action<LogFormatException> onError)
    {
        LineReader reader = new(input, LongestObject);
        while (reader.Read())
        {
            if (reader.Line.Trim(" \t"u8).IsEmpty)
            {
                continue;
            }

            if (reader.IsTooLong)
            {
                onError(new LogFormatException(LogFormat.JsonLines, reader.Number, reader.Line, $"The line is longer than {LongestObject} bytes."));
                continue;
            }

            if (ToFlow(reader.Line, LogFormat.JsonLines, reader.Number, onError) is Flow flow)
            {
                yield return flow;
            }
        }
    }

    /// <summary>
    /// Reads an array. An element that is not a flow is reported, and reading continues behind it; invalid JSON ends the reading with one error.
    /// </summary>
    public static IEnumerable<Flow> ReadArray(InputBuffer input, Action<LogFormatException> onError)
    {
        JsonArrayCursor cursor = new(input, LongestObject);
        while (cursor.Read(onError))
        {
            if (ToFlow(cursor.Element, LogFormat.Json, cursor.Number, onError) is Flow flow)
            {
                yield return flow;
            }
        }
    }

    private static Flow? ToFlow(ReadOnlySpan<byte> json, LogFormat format, long number, Action<LogFormatException> onError)
    {
        string? fault;
        try
        {
            Flow? flow = JsonSerializer.Deserialize(json, FlowJsonContext.Default.Flow);
            fault = flow is null ? "It is null." : FlowFault.Of(flow);
            if (fault is null)
            {
                return flow;
            }
        }
        catch (JsonException e)
        {
            // A converter's message does not name the path of the property.
            fault = e.Path is null || e.Message.Contains(e.Path, StringComparison.Ordinal) ? e.Message : $"{e.Path}: {e.Message}";
        }

        onError(new LogFormatException(format, number, json, $"It is not a flow in JSON. {fault}"));
        return null;
    }
}
