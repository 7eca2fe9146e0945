using Conntracker.Core.Export;
using Conntracker.Core.Export.Common;
using Conntracker.Core.Export.Csv;
using Conntracker.Core.Export.Json;
using Conntracker.Core.Export.Text;
using Conntracker.Core.Export.Tree;

namespace Conntracker;

/// <summary>Reads flows from a file of any format that <see cref="FlowWriter"/> writes.</summary>
public static class FlowReader
{
    /// <summary>
    /// Reads flows lazily, as the caller enumerates them. Only a text log of V3 is read to its end first, since the two lines of a flow can be far
    /// apart.
    /// </summary>
    /// <param name="stream">The file. The caller owns it.</param>
    /// <param name="format">The format; null to detect it from the content.</param>
    /// <param name="onError">
    /// Called with every part that cannot be read; reading continues with the next one where the format allows it. An exception that it throws ends
    /// the reading.
    /// </param>
    public static IEnumerable<Flow> Read(Stream stream, LogFormat? format, Action<LogFormatException> onError)
    {
        ArgumentNullException.ThrowIfNull(stream);
        ArgumentNullException.ThrowIfNull(onError);
        if (format == LogFormat.Tree)
        {
            throw new ArgumentOutOfRangeException(nameof(format), format, "A tree is read from a directory (ReadTree), not from a stream.");
        }

        return ReadAll(stream, format, onError);
    }

    /// <summary>Reads the flows of a tree lazily, as the caller enumerates them: one for each entry, in no particular order.</summary>
    /// <param name="path">The tree's directory.</param>
    /// <param name="onError">Called with every name that is not an entry, and every directory that cannot be read; reading continues with the next one.</param>
    /// <exception cref="IOException">The directory cannot be read.</exception>
    /// <exception cref="UnauthorizedAccessException">Permission to read it is denied.</exception>
    public static IEnumerable<Flow> ReadTree(string path, Action<Exception> onError)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        ArgumentNullException.ThrowIfNull(onError);
        return TreeReader.Read(path, onError);
    }

    /// <summary>Whether a directory is a tree: it has one of the tree's first-level directories.</summary>
    public static bool IsTree(string path) => TreeName.Sections.Any(each => Directory.Exists(Path.Combine(path, TreeName.Of(each))));

    private static IEnumerable<Flow> ReadAll(Stream stream, LogFormat? format, Action<LogFormatException> onError)
    {
        using InputBuffer input = new(stream);
        LogFormat known = format ?? LogFormatDetector.Detect(input);
        if (input.Unread is [0xFF, 0xFE, ..] or [0xFE, 0xFF, ..])
        {
            onError(new LogFormatException(known, 1, default, "The file is UTF-16. Save it as UTF-8."));
            yield break;
        }

        IEnumerable<Flow> flows = known switch
        {
            LogFormat.Json => JsonFlowReader.ReadArray(input, onError),
            LogFormat.JsonLines => JsonFlowReader.ReadLines(input, onError),
            LogFormat.Csv => CsvFlowReader.Read(input, onError),
            _ => TextFlows.Of(TextLogReader.ReadLines(input, onError)),
        };
        foreach (Flow flow in flows)
        {
            yield return flow;
        }
    }
}
