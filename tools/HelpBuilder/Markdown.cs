using System.Text.RegularExpressions;

namespace Conntracker.HelpBuilder;

/// <summary>
/// Reads the part of Markdown that the help pages use, and nothing else:
/// <list type="bullet">
/// <item>headings (<c>#</c> to <c>###</c>), paragraphs, separated by blank lines;</item>
/// <item>lists of one level (<c>- </c>), whose items may continue in lines that are indented by two spaces;</item>
/// <item>code between lines of three backticks, with the language behind the first: powershell for commands, text for output;</item>
/// <item>tables with a header row and outer bars;</item>
/// <item>within a line: `code`, **strong**, [text](link). A backslash makes a bar part of a table's cell.</item>
/// </list>
/// </summary>
internal static partial class Markdown
{
    private const string Fence = "```";

    /// <summary>Reads a page.</summary>
    /// <exception cref="PageException">The page has other Markdown.</exception>
    public static List<Block> Read(string page, IReadOnlyList<string> lines)
    {
        List<Block> blocks = [];
        for (int i = 0; i < lines.Count;)
        {
            string line = lines[i];
            int first = i + 1;
            if (line.Trim().Length == 0)
            {
                i++;
            }
            else if (line.StartsWith(Fence, StringComparison.Ordinal))
            {
                int end = i + 1;
                while (end < lines.Count && lines[end] != Fence)
                {
                    end++;
                }

                if (end == lines.Count)
                {
                    throw new PageException(page, first, "the block of code has no end.");
                }

                blocks.Add(new Code(first, line[Fence.Length..], string.Join('\n', lines.Skip(i + 1).Take(end - i - 1))));
                i = end + 1;
            }
            else if (HeadingLine().Match(line) is { Success: true } heading)
            {
                blocks.Add(new Heading(first, heading.Groups[1].Length, heading.Groups[2].Value));
                i++;
            }
            else if (line.StartsWith('|'))
            {
                blocks.Add(ReadTable(page, lines, ref i));
            }
            else if (line.StartsWith("- ", StringComparison.Ordinal))
            {
                blocks.Add(new ListItem(first, Join(lines, ref i, next => next.StartsWith("  ", StringComparison.Ordinal))[2..]));
            }
            else
            {
                blocks.Add(new Paragraph(first, Join(lines, ref i, next => !BlockStart().IsMatch(next))));
            }
        }

        return blocks;
    }

    /// <summary>A line's text without Markdown's markup.</summary>
    public static string Plain(string text)
    {
        string plain = Link().Replace(text, "$1");
        return Strong().Replace(plain, "$1").Replace("`", "", StringComparison.Ordinal);
    }

    private static string Join(IReadOnlyList<string> lines, ref int i, Func<string, bool> goesOn)
    {
        List<string> parts = [lines[i++].Trim()];
        while (i < lines.Count && lines[i].Trim().Length > 0 && goesOn(lines[i]))
        {
            parts.Add(lines[i++].Trim());
        }

        return string.Join(' ', parts);
    }

    private static Table ReadTable(string page, IReadOnlyList<string> lines, ref int i)
    {
        int first = i + 1;
        List<IReadOnlyList<string>> rows = [];
        for (; i < lines.Count && lines[i].StartsWith('|'); i++)
        {
            string[] cells = CellBar().Split(lines[i].Trim())[1..^1];
            rows.Add([.. cells.Select(cell => cell.Trim().Replace("\\|", "|", StringComparison.Ordinal))]);
            if (rows[^1].Count != rows[0].Count)
            {
                throw new PageException(page, i + 1, $"the row has {rows[^1].Count} cells, the table {rows[0].Count}.");
            }
        }

        return rows.Count > 2 && rows[1].All(cell => cell.Trim('-').Length == 0)
            ? new Table(first, rows[0], rows[2..])
            : throw new PageException(page, first, "a table has a header row, a row of dashes, and at least one row below.");
    }

    [GeneratedRegex("^(#{1,3}) (.+)$")]
    private static partial Regex HeadingLine();

    [GeneratedRegex(@"^(#{1,3} |- |\||```)")]
    private static partial Regex BlockStart();

    [GeneratedRegex(@"(?<!\\)\|")]
    private static partial Regex CellBar();

    [GeneratedRegex(@"\[([^\]]+)\]\([^)]+\)")]
    private static partial Regex Link();

    [GeneratedRegex(@"\*\*([^*]+)\*\*")]
    private static partial Regex Strong();
}
