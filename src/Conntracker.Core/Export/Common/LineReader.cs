namespace Conntracker.Core.Export.Common;

/// <summary>Splits bytes into lines, which end with LF or CRLF. A line past the limit is truncated, so that no file can fill the memory.</summary>
internal sealed class LineReader(InputBuffer input, int limit)
{
    private int _taken;

    /// <summary>The number of the line last read, counted from 1.</summary>
    public long Number { get; private set; }

    /// <summary>The line last read, without its end. Valid until the next call of <see cref="Read"/>.</summary>
    public ReadOnlySpan<byte> Line => input.Unread[..Length];

    /// <summary>True when the line was longer than the limit: <see cref="Line"/> holds its beginning.</summary>
    public bool IsTooLong { get; private set; }

    private int Length { get; set; }

    /// <summary>Moves to the next line; false at the end.</summary>
    public bool Read()
    {
        input.Advance(_taken);
        (_taken, Length) = (0, 0);
        if (IsTooLong)
        {
            SkipRest();
        }

        int searched = 0;
        int end;
        while ((end = input.Unread[searched..].IndexOf((byte)'\n')) < 0)
        {
            searched = input.Unread.Length;
            if (searched > limit || !input.Fill())
            {
                break;
            }
        }

        if (end < 0 && searched == 0)
        {
            return false;
        }

        Number++;
        int length = end < 0 ? searched : searched + end;
        IsTooLong = length > limit;
        if (IsTooLong)
        {
            // The end of the line is searched for when the next line is read.
            Length = _taken = limit;
            return true;
        }

        _taken = end < 0 ? length : length + 1;
        Length = length > 0 && input.Unread[length - 1] == '\r' ? length - 1 : length;
        return true;
    }

    private void SkipRest()
    {
        IsTooLong = false;
        while (true)
        {
            int end = input.Unread.IndexOf((byte)'\n');
            if (end >= 0)
            {
                input.Advance(end + 1);
                return;
            }

            input.Advance(input.Unread.Length);
            if (!input.Fill())
            {
                return;
            }
        }
    }
}
