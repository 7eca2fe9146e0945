using System.Buffers;
using System.Text;
using Conntracker.Core.Export.Common;

namespace Conntracker.Core.Export.Csv;

/// <summary>Writes flows as CSV: RFC 4180 with LF line ends. Null is an empty cell, an empty text a quoted one.</summary>
internal sealed class CsvFlowWriter : IFlowWriter
{
    private static readonly SearchValues<byte> s_quoted = SearchValues.Create(",\"\r\n"u8);

    private readonly Utf8Output _output;
    private readonly ArrayBufferWriter<byte> _cell = new(1024);

    /// <summary>Creates a writer; the header row is written at once.</summary>
    public CsvFlowWriter(Stream stream)
    {
        _output = new Utf8Output(stream);
        _output.Write(Encoding.ASCII.GetBytes(string.Join(',', FlowColumns.All.Select(column => column.Name)) + "\n"));
    }

    /// <inheritdoc/>
    public void Write(Flow flow)
    {
        for (int i = 0; i < FlowColumns.All.Count; i++)
        {
            if (i > 0)
            {
                _output.Write(","u8);
            }

            _cell.ResetWrittenCount();
            if (FlowColumns.All[i].Write(flow, _cell))
            {
                WriteCell(_cell.WrittenSpan);
            }
        }

        _output.Write("\n"u8);
    }

    /// <inheritdoc/>
    public void Complete() => _output.Flush();

    /// <inheritdoc/>
    public void Dispose() => _output.Dispose();

    private void WriteCell(ReadOnlySpan<byte> value)
    {
        if (!value.IsEmpty && !value.ContainsAny(s_quoted))
        {
            _output.Write(value);
            return;
        }

        _output.Write("\""u8);
        int quote;
        while ((quote = value.IndexOf((byte)'"')) >= 0)
        {
            _output.Write(value[..(quote + 1)]);
            _output.Write("\""u8);
            value = value[(quote + 1)..];
        }

        _output.Write(value);
        _output.Write("\""u8);
    }
}
