using System.Text;
using Conntracker.Core.Captures;
using Conntracker.Core.Export.Common;
using Conntracker.Core.Export.Text;
using Conntracker.Core.Recording;

namespace Conntracker.Tests.Fuzz.Harnesses;

/// <summary>Logs in each format. What was read can be written, and read again without an error.</summary>
internal static class LogHarnesses
{
    private const int FlowsInFile = 4;

    // The reader goes on behind each part that it refuses, and of JSON each costs an exception: as callers may, this one gives up.
    private const int MaximumErrors = 100;

    private static readonly byte[][] s_words =
    [
        .. new[]
        {
            "\"", "\"\"", ",", "\n", "\r\n", "\0", "[{", "}]", "{\"", "null", "true", "-1", "0", "99999999999999999999", "1e999", "\\uD800", "(port=",
            "table: ", "chain: ", "type: rule", "position: ", ",pid:", ",uid:", "%1", "::ffff:1.2.3.4", "255.255.255.256", "TCPv4", "ICMPv6",
            "\t\t\t\t", "                                ", " Confirmed",
            "\"Trace\":[", "\"Process\":{", "\"FirstSeen\":\"0001-01-01T00:00:00+14:00\"", "9999-12-31T23:59:59.9999999-14:00", "\uFEFF", "\u2028", "= ",
        }.Select(Encoding.UTF8.GetBytes),
        [0xFF], [0xC3], [0xED, 0xA0, 0x80],
    ];

    public static IEnumerable<Harness> All(Corpus corpus)
    {
        byte[][] logs = [.. Corpus.Logs().SelectMany(PartsOf)];
        ByteMutator mutator = new(s_words);
        yield return new Harness("text-log", logs, mutator, TextLog);
        Flow[] flows = [.. FlowsOf(corpus), .. logs.SelectMany(each => Read(each, LogFormat.Text).Flows)];
        byte[][] csv = [.. flows.Chunk(FlowsInFile).Select(each => Write(each, LogFormat.Csv))];
        byte[][] json = [.. flows.Chunk(FlowsInFile).Select(each => Write(each, LogFormat.Json))];
        byte[][] jsonLines = [.. flows.Chunk(FlowsInFile).Select(each => Write(each, LogFormat.JsonLines))];
        yield return new Harness("csv", csv, mutator, input => ReadTwice(input, LogFormat.Csv));
        yield return new Harness("json", json, mutator, input => ReadTwice(input, LogFormat.Json));
        yield return new Harness("json-lines", jsonLines, mutator, input => ReadTwice(input, LogFormat.JsonLines));

        // Of an unknown format, as Import-ConntrackLog reads it.
        yield return new Harness("any-log", [.. logs.Take(8), .. csv.Take(8), .. json.Take(8), .. jsonLines.Take(8)], mutator, input => ReadTwice(input, null));
    }

    private static void TextLog(ReadOnlySpan<byte> input)
    {
        ReadTwice(input, LogFormat.Text);
        byte[] once = WriteLines(ReadLines(input.ToArray(), out _));
        List<TextLogLine> lines = ReadLines(once, out int errors);
        Must.Be(errors == 0 && once.AsSpan().SequenceEqual(WriteLines(lines)), "Lines that were read are written and read again as they are.");
    }

    private static void ReadTwice(ReadOnlySpan<byte> input, LogFormat? format)
    {
        (List<Flow> flows, int errors) = Read(input.ToArray(), format);
        Must.Be(flows.Count + errors <= input.Length + 1, "Each flow and each error is of a part of the file; one may be of all.");

        // A text log holds a part of a flow only.
        LogFormat again = format is null or LogFormat.Text ? LogFormat.JsonLines : format.Value;
        (List<Flow> second, errors) = Read(Write(flows, again), again);
        Must.Be(errors == 0 && second.Count == flows.Count, "What was read can be written, and read again without an error.");
    }

    private static (List<Flow> Flows, int Errors) Read(byte[] input, LogFormat? format)
    {
        int errors = 0;
        List<Flow> flows = [];
        using MemoryStream stream = new(input);
        try
        {
            flows.AddRange(FlowReader.Read(stream, format, error => errors += errors < MaximumErrors ? 1 : throw error));
        }
        catch (LogFormatException) when (errors == MaximumErrors)
        {
            // Enough.
        }

        return (flows, errors);
    }

    private static byte[] Write(IEnumerable<Flow> flows, LogFormat format)
    {
        using MemoryStream stream = new();
        using IFlowWriter writer = FlowWriter.Create(stream, format);
        foreach (Flow each in flows)
        {
            writer.Write(each);
        }

        writer.Complete();
        return stream.ToArray();
    }

    private static List<TextLogLine> ReadLines(byte[] input, out int errors)
    {
        int count = 0;
        using InputBuffer buffer = new(new MemoryStream(input));
        List<TextLogLine> lines = [.. TextLogReader.ReadLines(buffer, _ => count++)];
        errors = count;
        return lines;
    }

    private static byte[] WriteLines(List<TextLogLine> lines)
    {
        using MemoryStream stream = new();
        using TextLogWriter writer = new(stream, LogStyle.V3);
        lines.ForEach(writer.Write);
        writer.Flush();
        return stream.ToArray();
    }

    // A few lines each: an input is read in no time, and most changes hit something.
    private static IEnumerable<byte[]> PartsOf(byte[] log)
    {
        const int LinesInPart = 12;
        return Encoding.UTF8.GetString(log).Split('\n').Chunk(LinesInPart).Select(each => Encoding.UTF8.GetBytes(string.Join('\n', each) + "\n"));
    }

    private static List<Flow> FlowsOf(Corpus corpus)
    {
        List<Flow> flows = [];
        foreach (RecordedMessage[] frames in corpus.Recordings)
        {
            using FlowCollector collector = new(CaptureOptions.MinimumOfMaximumFlows, []);
            foreach (RecordedMessage each in frames)
            {
                collector.Handle((MessageKind)each.Kind, each.Time, each.Data);
            }

            collector.Flush(long.MaxValue);
            flows.AddRange(CollectedFlows.Of(collector));
        }

        return flows;
    }
}
