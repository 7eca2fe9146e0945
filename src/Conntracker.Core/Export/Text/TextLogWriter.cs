using System.Text;
using Conntracker.Core.Addresses;
using Conntracker.Core.Export.Common;

namespace Conntracker.Core.Export.Text;

/// <summary>Prints lines of a text log in the order of the calls, and counts them within their label.</summary>
internal sealed class TextLogWriter(Stream stream, LogStyle style) : IDisposable
{
    // Label, number, two addresses, two ports and the words between them take 167 bytes at most.
    private const int LongestLine = 256;

    private readonly Utf8Output _output = new(stream);
    private readonly Label?[] _labels = new Label?[LogLineKind.Count];
    private Label _label = new(default);

    /// <summary>Sets the label of the lines that follow; its count continues where it was.</summary>
    public void Begin(LogLineKind label) => _label = _labels[label.Index] ??= new Label(label);

    /// <summary>Prints a collected line.</summary>
    public void Write(in TextLine line, TextDetails details)
    {
        WriteFlow(in line);
        WriteSuffix(line.Confirmed, details.Suffix(line.Process));
        if (line.Trace != 0)
        {
            _output.Write(details.Lines(line.Trace));
        }
    }

    /// <summary>Prints a line that was read, its trace in the order in which it was read.</summary>
    public void Write(TextLogLine line)
    {
        Begin(line.Label);
        WriteFlow(line.ToTextLine());
        WriteSuffix(line.Confirmed, line.Process is null ? ProcessSuffix.Unknown : Encoding.UTF8.GetBytes(ProcessSuffix.Format(line.Process)));
        if (style != LogStyle.V1 && line.Trace.Count > 0)
        {
            _output.Write(TraceLine.Format([.. line.Trace.Select(TraceLine.From)], style));
        }
    }

    /// <summary>Writes the printed lines to the stream.</summary>
    public void Flush() => _output.Flush();

    /// <inheritdoc/>
    public void Dispose() => _output.Dispose();

    private void WriteFlow(in TextLine line)
    {
        Label label = _label;
        Span<byte> to = _output.Reserve(LongestLine);
        int at = Copy(label.Start, to);
        label.Count();
        at += Copy("] src = "u8, to[at..]);
        at += AddressText.Write(to[at..], line.Source, label.Family);
        at += label.HasPorts ? WritePort(to[at..], line.SourcePort) : 0;
        at += Copy(" to dst = "u8, to[at..]);
        at += AddressText.Write(to[at..], line.Destination, label.Family);
        if (label.HasPorts)
        {
            at += WritePort(to[at..], line.DestinationPort);
        }
        else if (label.IsIcmp)
        {
            at += Copy(" (type="u8, to[at..]);
            at += Digits.Write(to[at..], line.SourcePort);
            at += Copy(" | code="u8, to[at..]);
            at += Digits.Write(to[at..], line.DestinationPort);
            to[at++] = (byte)')';
        }

        _output.Advance(at);
    }

    private void WriteSuffix(bool confirmed, ReadOnlySpan<byte> process)
    {
        if (style == LogStyle.V3)
        {
            _output.Write(_label.IsIcmp ? default : process);
        }
        else if (confirmed)
        {
            _output.Write(" (confirmed)"u8);
        }

        _output.Write("\n"u8);
    }

    private static int WritePort(Span<byte> to, ushort port)
    {
        int at = Copy(" (port="u8, to);
        at += Digits.Write(to[at..], port);
        to[at++] = (byte)')';
        return at;
    }

    private static int Copy(ReadOnlySpan<byte> text, Span<byte> to)
    {
        text.CopyTo(to);
        return text.Length;
    }

    // The part that all lines of a label share, formatted once.
    private sealed class Label(LogLineKind label)
    {
        // It ends with the number of the next line, which is incremented in its digits.
        public byte[] Start { get; } = [.. label.ToColumns(), .. " [           0"u8];

        public FlowFamily Family { get; } = label.Family;

        public bool HasPorts { get; } = label.HasPorts;

        public bool IsIcmp { get; } = label.IsIcmp;

        public void Count()
        {
            int digit = Start.Length - 1;
            for (; Start[digit] == '9'; digit--)
            {
                Start[digit] = (byte)'0';
            }

            Start[digit] = Start[digit] == ' ' ? (byte)'1' : (byte)(Start[digit] + 1);
        }
    }
}
