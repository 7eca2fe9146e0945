using Conntracker.Core.Export.Common;

namespace Conntracker.Core.Export.Text;

/// <summary>Reads a text log of any generation, line by line. A line that cannot be read is reported, and reading continues below it.</summary>
internal static class TextLogReader
{
    private const int LongestLine = 64 * 1024;

    private const string TraceReason =
        "A trace line is indented by 32 spaces or four tabs and reads \"table: NAME, chain: NAME, type: rule|policy|return, position: NUMBER\".";

    /// <summary>Reads the flows' lines in the file's order, each with its trace.</summary>
    /// <param name="input">The file.</param>
    /// <param name="onError">Called with every line that cannot be read. An exception that it throws ends the reading.</param>
    public static IEnumerable<TextLogLine> ReadLines(InputBuffer input, Action<LogFormatException> onError)
    {
        LineReader reader = new(input, LongestLine);
        TextLogLine? pending = null;
        Below below = new();
        while (reader.Read())
        {
            ReadOnlySpan<byte> line = reader.Line;
            if (line.IsEmpty)
            {
                continue;
            }

            if (reader.IsTooLong)
            {
                onError(new LogFormatException(LogFormat.Text, reader.Number, line, $"The line is longer than {LongestLine} bytes."));
                continue;
            }

            if (IsTrace(line))
            {
                if (below.Add(line) is string reason)
                {
                    onError(new LogFormatException(LogFormat.Text, reader.Number, line, reason));
                }

                continue;
            }

            TextLogLine? next = ReadFlow(line, reader.Number, onError);
            if (pending is not null)
            {
                yield return below.Complete(pending);
            }

            pending = next;
            below = new Below { Belongs = next is null ? Owner.Unreadable : Owner.Flow };
        }

        if (pending is not null)
        {
            yield return below.Complete(pending);
        }
    }

    private static bool IsTrace(ReadOnlySpan<byte> line) => line[0] == '\t' || line.TrimStart(" \t"u8).StartsWith("table:"u8);

    private static TextLogLine? ReadFlow(ReadOnlySpan<byte> line, long number, Action<LogFormatException> onError)
    {
        TextLineParser parsed = TextLineParser.Parse(line);
        if (parsed.Error is not null)
        {
            onError(new LogFormatException(LogFormat.Text, number, line, parsed.Error));
            return null;
        }

        return new TextLogLine
        {
            Label = parsed.Label,
            Source = parsed.Line.Source,
            Destination = parsed.Line.Destination,
            SourcePort = parsed.Line.SourcePort,
            DestinationPort = parsed.Line.DestinationPort,
            Confirmed = parsed.Line.Confirmed,
            Process = parsed.Process,
            Style = parsed.Style,
            Number = number,
        };
    }

    private enum Owner
    {
        None,
        Flow,
        Unreadable,
    }

    // The trace lines below a flow's line, until the next flow's line.
    private sealed class Below
    {
        private List<TraceStep>? _steps;
        private bool _hasSpaces;

        public Owner Belongs { get; init; }

        // Why the line cannot be added; null when it was.
        public string? Add(ReadOnlySpan<byte> line)
        {
            bool hasSpaces = line.StartsWith("                                table:"u8);
            int indent = hasSpaces ? TraceLine.IndentV2.Length : TraceLine.IndentV3.Length;
            if (!(hasSpaces || line.StartsWith("\t\t\t\ttable:"u8)) || TraceLine.Parse(line[indent..]) is not TraceStep step)
            {
                return TraceReason;
            }

            if (Belongs == Owner.None)
            {
                return "A trace line must follow the line of a flow.";
            }

            // Trace lines below an unreadable line are skipped: one error is enough.
            _hasSpaces |= hasSpaces;
            (_steps ??= []).Add(step);
            return null;
        }

        public TextLogLine Complete(TextLogLine line) => _steps is null ? line : new TextLogLine
        {
            Label = line.Label,
            Source = line.Source,
            Destination = line.Destination,
            SourcePort = line.SourcePort,
            DestinationPort = line.DestinationPort,
            Confirmed = line.Confirmed,
            Process = line.Process,
            Trace = _steps,
            Style = StyleOf(line.Style),
            Number = line.Number,
        };

        // The suffix decides the generation, as V2 was also indented by tabs. A line without a suffix (ICMP) shows it only by spaces.
        private LogStyle? StyleOf(LogStyle? ofSuffix) => ofSuffix == LogStyle.V1 || (ofSuffix is null && _hasSpaces) ? LogStyle.V2 : ofSuffix;
    }
}
