using System.Text;
using Conntracker.Core.Export.Common;
using Conntracker.Core.Export.Csv;

namespace Conntracker.Core.Export;

/// <summary>Detects a file's format by its beginning.</summary>
internal static class LogFormatDetector
{
    private const int LongestHeader = 8 * 1024;

    /// <summary>
    /// Looks at the first bytes that are not blank, and consumes none: <c>[</c> is a JSON array, <c>{</c> JSON lines, a row with the name of a flow's
    /// property CSV, and anything else a text log.
    /// </summary>
    public static LogFormat Detect(InputBuffer input)
    {
        int blank;
        while ((blank = input.Unread.IndexOfAnyExcept(" \t\r\n"u8)) < 0 && input.Unread.Length < LongestHeader && input.Fill())
        {
        }

        return blank < 0 ? LogFormat.Text : (char)input.Unread[blank] switch
        {
            '[' => LogFormat.Json,
            '{' => LogFormat.JsonLines,
            _ => IsHeader(input, blank) ? LogFormat.Csv : LogFormat.Text,
        };
    }

    private static bool IsHeader(InputBuffer input, int start)
    {
        int end;
        while ((end = input.Unread[start..].IndexOf((byte)'\n')) < 0 && input.Unread.Length < LongestHeader && input.Fill())
        {
        }

        ReadOnlySpan<byte> line = input.Unread[start..];
        line = end < 0 ? line : line[..end];
        string[] cells = Encoding.UTF8.GetString(line).TrimEnd('\r').Split(',');
        return cells.Length > 1 && cells.Any(cell => CsvFlowReader.IsColumn(cell.Trim('"')));
    }
}
