using Conntracker.Core.Export.Common;

namespace Conntracker.Core.Export.Csv;

/// <summary>Splits CSV into records and cells by RFC 4180; a record ends with LF or CRLF, and quoted cells may hold any line end.</summary>
internal sealed class CsvReader(InputBuffer input, int limit)
{
    private readonly List<Cell> _cells = [];
    private byte[] _text = new byte[1024];
    private int _length;
    private int _taken;
    private long _nextLine = 1;

    /// <summary>The number of the record's first line, counted from 1.</summary>
    public long Number { get; private set; }

    /// <summary>How many cells the record has.</summary>
    public int Count => _cells.Count;

    /// <summary>The record as it is in the file.</summary>
    public ReadOnlySpan<byte> Record => input.Unread[.._taken];

    /// <summary>What is wrong with the record; null when it is valid. Reading continues at the line after its first.</summary>
    public string? Error { get; private set; }

    /// <summary>The text of a cell, without quotes.</summary>
    public ReadOnlySpan<byte> this[int cell] => _text.AsSpan(_cells[cell].Start, _cells[cell].Length);

    /// <summary>True when a cell holds nothing at all, not even quotes.</summary>
    public bool IsNull(int cell) => _cells[cell] is { Length: 0, IsQuoted: false };

    /// <summary>Moves to the next record that is not blank; false at the end.</summary>
    public bool Read()
    {
        do
        {
            _nextLine += Record.Count((byte)'\n');
            input.Advance(_taken);
            _taken = 0;
            Number = _nextLine;
            while (!TryParse())
            {
                if (input.Unread.Length > limit)
                {
                    Fail($"The record is longer than {limit} bytes; is a quote missing?");
                    break;
                }

                input.Fill();
            }

            if (_taken == 0)
            {
                return false;
            }
        }
        while (Error is null && Count == 1 && IsNull(0));

        return true;
    }

    // Reads the record at the front of the input; false when more bytes are needed.
    private bool TryParse()
    {
        ReadOnlySpan<byte> bytes = input.Unread;
        _cells.Clear();
        _length = 0;
        Error = null;
        if (_text.Length < bytes.Length)
        {
            // A cell without its quotes is never longer than with them.
            _text = new byte[Math.Max(bytes.Length, _text.Length * 2)];
        }

        int at = 0;
        while (true)
        {
            int start = _length;
            bool quoted = at < bytes.Length && bytes[at] == '"';
            if (!(quoted ? ReadQuotedCell(bytes, ref at) : ReadPlainCell(bytes, ref at)))
            {
                return Error is not null;
            }

            _cells.Add(new Cell(start, _length - start, quoted));
            if (at < bytes.Length && bytes[at] == ',')
            {
                at++;
                continue;
            }

            _taken = LineEnd(bytes, at);
            return _taken >= 0 || NeedsMore();
        }
    }

    private bool NeedsMore()
    {
        _taken = 0;
        return false;
    }

    private bool ReadPlainCell(ReadOnlySpan<byte> bytes, ref int at)
    {
        int start = at;
        while (at < bytes.Length && bytes[at] != ',' && bytes[at] != '\n' && !(bytes[at] == '\r' && at + 1 < bytes.Length && bytes[at + 1] == '\n'))
        {
            if (bytes[at] == '"')
            {
                Fail("There is a quote inside a cell that does not begin with a quote.");
                return false;
            }

            at++;
        }

        if (at == bytes.Length && !input.IsComplete)
        {
            return false;
        }

        Append(bytes[start..at]);
        return true;
    }

    private bool ReadQuotedCell(ReadOnlySpan<byte> bytes, ref int at)
    {
        at++;
        while (true)
        {
            int quote = bytes[at..].IndexOf((byte)'"');
            if (quote < 0 || (at + quote + 1 == bytes.Length && !input.IsComplete))
            {
                if (input.IsComplete)
                {
                    Fail("A quote is opened and never closed.");
                }

                return false;
            }

            Append(bytes.Slice(at, quote));
            at += quote + 1;
            if (at == bytes.Length || bytes[at] != '"')
            {
                break;
            }

            Append("\""u8);
            at++;
        }

        if (at == bytes.Length || bytes[at] is (byte)',' or (byte)'\n')
        {
            return true;
        }

        if (bytes[at] != '\r' || (at + 1 < bytes.Length && bytes[at + 1] != '\n'))
        {
            Fail("A closing quote is followed by something other than a comma or the end of the line.");
            return false;
        }

        return at + 1 < bytes.Length || input.IsComplete;
    }

    // The end of the record, behind its line end; -1 when more bytes are needed to find it.
    private int LineEnd(ReadOnlySpan<byte> bytes, int at)
    {
        if (at < bytes.Length && bytes[at] == '\r')
        {
            at++;
        }

        if (at < bytes.Length)
        {
            return at + 1;
        }

        return input.IsComplete ? at : -1;
    }

    private void Append(ReadOnlySpan<byte> text)
    {
        text.CopyTo(_text.AsSpan(_length));
        _length += text.Length;
    }

    // Skips the record's first line, once all of it is there.
    private void Fail(string reason)
    {
        int end = input.Unread.IndexOf((byte)'\n');
        if (end < 0 && !input.IsComplete && input.Unread.Length <= limit)
        {
            return;
        }

        Error = reason;
        _taken = end < 0 ? input.Unread.Length : end + 1;
    }

    private readonly record struct Cell(int Start, int Length, bool IsQuoted);
}
