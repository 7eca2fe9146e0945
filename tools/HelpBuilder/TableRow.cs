namespace Conntracker.HelpBuilder;

/// <summary>Writes a table's row as a line of plain text, for formats without tables.</summary>
internal static class TableRow
{
    /// <summary>Name and meaning; with three cells or more, those between them are in parentheses.</summary>
    public static string Format(IReadOnlyList<string> cells) => cells.Count switch
    {
        1 => $"- {cells[0]}",
        2 => $"- {cells[0]}: {cells[1]}",
        _ => $"- {cells[0]} ({string.Join(", ", cells.Skip(1).SkipLast(1))}): {cells[^1]}",
    };
}
