using Conntracker.Core.Addresses;

namespace Conntracker.Core.Export.Text;

/// <summary>Reads a flow's line of a text log, of any generation. A line that no writer would write is refused, with the reason.</summary>
internal ref struct TextLineParser
{
    private const int NumberColumns = 12;

    private ReadOnlySpan<byte> _rest;

    /// <summary>What is wrong with the line; null when it was read.</summary>
    public string? Error { get; private set; }

    /// <summary>Protocol and family.</summary>
    public LogLineKind Label;

    /// <summary>Addresses, ports and <c>(confirmed)</c>.</summary>
    public TextLine Line;

    /// <summary>The process that the suffix names.</summary>
    public FlowProcess? Process;

    /// <summary>The generation that the line shows, regardless of its trace.</summary>
    public LogStyle? Style;

    /// <summary>Reads a line; <see cref="Error"/> has the outcome.</summary>
    public static TextLineParser Parse(ReadOnlySpan<byte> line)
    {
        TextLineParser parser = new() { _rest = line };
        parser.Error = parser.Start() ?? parser.Ends() ?? parser.Suffix();
        return parser;
    }

    private string? Start()
    {
        if (_rest.Length < LogLineKind.Width || !LogLineKind.TryParse(_rest[..LogLineKind.Width], out Label))
        {
            return "A flow's line begins with its label in 6 columns, such as \" TCPv4\" or \"ICMPv6\".";
        }

        _rest = _rest[LogLineKind.Width..];
        if (!Take(" ["u8) || _rest.Length < NumberColumns
            || !Digits.TryParse(_rest[..NumberColumns].TrimStart((byte)' '), out _))
        {
            return "The label is followed by the line's number, right-aligned in 12 columns between brackets.";
        }

        _rest = _rest[NumberColumns..];
        return Take("] src = "u8) ? null : "The line's number is followed by \"] src = \" and the source address.";
    }

    private string? Ends()
    {
        if (!TakeAddress(out Line.Source))
        {
            return $"The source is not an {Label.Family} address.";
        }

        if (Label.HasPorts && !TakePort(out Line.SourcePort))
        {
            return "The source address is followed by its port, such as \" (port=443)\", from 0 to 65535.";
        }

        if (!Take(" to dst = "u8))
        {
            return "The source is followed by \" to dst = \" and the destination address.";
        }

        if (!TakeAddress(out Line.Destination))
        {
            return $"The destination is not an {Label.Family} address.";
        }

        if (Label.HasPorts && !TakePort(out Line.DestinationPort))
        {
            return "The destination address is followed by its port, such as \" (port=443)\", from 0 to 65535.";
        }

        if (Label.IsIcmp && !(Take(" (type="u8) && TakeNumber(byte.MaxValue, " |"u8, out Line.SourcePort)
            && Take(" code="u8) && TakeNumber(byte.MaxValue, ")"u8, out Line.DestinationPort)))
        {
            return "The destination address is followed by type and code, such as \" (type=8 | code=0)\", each from 0 to 255.";
        }

        return null;
    }

    private string? Suffix()
    {
        if (_rest.IsEmpty)
        {
            Style = Label.IsIcmp ? null : LogStyle.V1;
            return null;
        }

        if (_rest.SequenceEqual(" (confirmed)"u8))
        {
            Line.Confirmed = true;
            Style = LogStyle.V1;
            return null;
        }

        if (!Label.IsIcmp && _rest.StartsWith(" ("u8) && _rest[^1] == ')')
        {
            Style = LogStyle.V3;
            if (_rest.SequenceEqual(ProcessSuffix.Unknown))
            {
                return null;
            }

            Process = ProcessSuffix.Parse(_rest[2..^1]);
            if (Process is not null)
            {
                return null;
            }
        }

        return Label.IsIcmp
            ? "An ICMP line ends with its type and code, or with \" (confirmed)\"."
            : "A line ends with its ports, or with \" (confirmed)\", \" (-)\" or the process, such as \" (ssh,pid:5057,uid:root)\".";
    }

    private bool Take(ReadOnlySpan<byte> text)
    {
        if (!_rest.StartsWith(text))
        {
            return false;
        }

        _rest = _rest[text.Length..];
        return true;
    }

    private bool TakeAddress(out UInt128 address)
    {
        int end = _rest.IndexOf((byte)' ');
        ReadOnlySpan<byte> text = end < 0 ? _rest : _rest[..end];
        _rest = _rest[text.Length..];
        return AddressText.TryParse(text, Label.Family, out address);
    }

    private bool TakePort(out ushort port)
    {
        port = 0;
        return Take(" (port="u8) && TakeNumber(ushort.MaxValue, ")"u8, out port);
    }

    private bool TakeNumber(uint most, ReadOnlySpan<byte> end, out ushort number)
    {
        number = 0;
        int length = _rest.IndexOf(end);
        if (length < 0 || !Digits.TryParse(_rest[..length], out uint value) || value > most)
        {
            return false;
        }

        number = (ushort)value;
        _rest = _rest[(length + end.Length)..];
        return true;
    }
}
