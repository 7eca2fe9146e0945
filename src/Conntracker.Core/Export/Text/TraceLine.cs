using System.Globalization;
using System.Text;
using Conntracker.Core.Model;

namespace Conntracker.Core.Export.Text;

/// <summary>A trace line as it is printed. Steps that print alike are one line, even when their other properties differ.</summary>
internal readonly record struct TraceLine(string Table, string Chain, TraceStepType Type, int? Position) : IComparable<TraceLine>
{
    /// <summary>The indent of V2.</summary>
    public const string IndentV2 = "                                ";

    /// <summary>The indent of V3.</summary>
    public const string IndentV3 = "\t\t\t\t";

    private const int OtherTable = 4;

    /// <summary>The line of a step.</summary>
    public static TraceLine From(TraceStep step) => new(
        SafeText.InTrace(step.Family is null ? step.Table : $"{step.Family} {step.Table}"),
        SafeText.InTrace(step.Chain),
        step.Type is TraceStepType.Policy or TraceStepType.Rule ? step.Type : TraceStepType.Return,
        step.Position);

    /// <summary>The lines that a style prints for the steps of a flow: sorted, without duplicates.</summary>
    public static TraceLine[] Of(IReadOnlyList<TraceStep> steps, LogStyle style)
    {
        SortedSet<TraceLine> lines = [];
        for (int i = 0; i < steps.Count && style != LogStyle.V1; i++)
        {
            TraceLine line = From(steps[i]);
            if (style == LogStyle.V2)
            {
                lines.Add(line);
            }
            else if (line.Table != "raw")
            {
                lines.Add(line.InV3());
            }
        }

        return [.. lines];
    }

    /// <summary>The lines as bytes, with their indent and line ends.</summary>
    public static byte[] Format(ReadOnlySpan<TraceLine> lines, LogStyle style)
    {
        StringBuilder text = new();
        foreach (TraceLine line in lines)
        {
            TraceLine printed = style == LogStyle.V3 ? line.InV3() : line;
            text.Append(style == LogStyle.V3 ? IndentV3 : IndentV2)
                .Append(CultureInfo.InvariantCulture, $"table: {printed.Table}, chain: {printed.Chain}, type: {TypeName(printed.Type)}");
            if (printed.Position is int position)
            {
                text.Append(CultureInfo.InvariantCulture, $", position: {position}");
            }

            text.Append('\n');
        }

        return Encoding.UTF8.GetBytes(text.ToString());
    }

    /// <summary>Reads a line without its indent; null when it is not a trace line.</summary>
    public static TraceStep? Parse(ReadOnlySpan<byte> line)
    {
        if (!TryField(ref line, "table: "u8, out string table)
            || !TryField(ref line, ", chain: "u8, out string chain)
            || !TryField(ref line, ", type: "u8, out string typeName)
            || ParseType(typeName) is not TraceStepType type)
        {
            return null;
        }

        int? position = null;
        if (!line.IsEmpty)
        {
            if (!TryField(ref line, ", position: "u8, out string digits) || !line.IsEmpty
                || !int.TryParse(digits, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out int number))
            {
                return null;
            }

            position = number;
        }

        // "inet firewall" is a table of nftables with its family; tables of iptables are one word.
        int space = table.IndexOf(' ', StringComparison.Ordinal);
        return new TraceStep
        {
            Family = space < 0 ? null : table[..space],
            Table = table[(space + 1)..],
            Chain = chain,
            Type = type,
            Position = position,
            Engine = space < 0 ? TraceEngine.Iptables : TraceEngine.Nftables,
        };
    }

    /// <summary>The log's order: raw, mangle, nat, filter, other tables by name; then chain, type and position.</summary>
    public int CompareTo(TraceLine other)
    {
        int order = TableRank(Table).CompareTo(TableRank(other.Table));
        order = order != 0 ? order : string.CompareOrdinal(Table, other.Table);
        order = order != 0 ? order : string.CompareOrdinal(Chain, other.Chain);
        order = order != 0 ? order : Type.CompareTo(other.Type);
        return order != 0 ? order : Nullable.Compare(Position, other.Position);
    }

    private TraceLine InV3() => Type == TraceStepType.Policy ? this with { Position = null } : this;

    private static int TableRank(string table) => table switch
    {
        "raw" => 0,
        "mangle" => 1,
        "nat" => 2,
        "filter" => 3,
        _ => OtherTable,
    };

    private static string TypeName(TraceStepType type) => type switch
    {
        TraceStepType.Policy => "policy",
        TraceStepType.Rule => "rule",
        _ => "return",
    };

    private static TraceStepType? ParseType(string name) => name switch
    {
        "policy" => TraceStepType.Policy,
        "rule" => TraceStepType.Rule,
        "return" => TraceStepType.Return,
        _ => null,
    };

    // Reads a field's name and its value, up to the next comma.
    private static bool TryField(ref ReadOnlySpan<byte> line, ReadOnlySpan<byte> name, out string value)
    {
        value = "";
        if (!line.StartsWith(name))
        {
            return false;
        }

        line = line[name.Length..];
        int end = line.IndexOf((byte)',');
        end = end < 0 ? line.Length : end;
        value = Encoding.UTF8.GetString(line[..end]);
        line = line[end..];
        return true;
    }
}
