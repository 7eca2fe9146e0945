using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace Conntracker;

/// <summary>A port or a range of ports, both ends included: <c>443</c>, <c>8000-8999</c>.</summary>
public sealed class PortRange
{
    /// <summary>A single port.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The number is not from 0 to 65535.</exception>
    public PortRange(int port)
        : this(port, port)
    {
    }

    /// <summary>A range of ports.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A number is not from 0 to 65535, or the first is above the last.</exception>
    public PortRange(int first, int last)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(first);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(last, ushort.MaxValue);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(first, last);
        First = first;
        Last = last;
    }

    /// <summary>The lowest port, 0 to 65535.</summary>
    public int First { get; }

    /// <summary>The highest port, 0 to 65535.</summary>
    public int Last { get; }

    /// <summary>Reads a port or a range.</summary>
    /// <exception cref="FormatException">The text is neither.</exception>
    public static PortRange Parse(string text) => TryParse(text, out PortRange? range)
        ? range
        : throw new FormatException($"'{text}' is not a port or a port range. Use 443 or 8000-8999, each from 0 to 65535.");

    /// <summary>Reads a port or a range; false when the text is neither.</summary>
    public static bool TryParse([NotNullWhen(true)] string? text, [NotNullWhen(true)] out PortRange? range)
    {
        range = null;
        string[] parts = text?.Split('-') ?? [];
        if (parts.Length is not (1 or 2) || !TryPort(parts[0], out int first) || !TryPort(parts[^1], out int last) || first > last)
        {
            return false;
        }

        range = new PortRange(first, last);
        return true;
    }

    /// <summary>Whether the port lies in the range.</summary>
    public bool Contains(int port) => port >= First && port <= Last;

    /// <summary>The range as it is written.</summary>
    public override string ToString() => First == Last
        ? First.ToString(CultureInfo.InvariantCulture)
        : string.Create(CultureInfo.InvariantCulture, $"{First}-{Last}");

    private static bool TryPort(string text, out int port) =>
        int.TryParse(text.Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out port) && port <= ushort.MaxValue;
}
