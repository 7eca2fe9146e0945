using System.Text;

namespace Conntracker.HelpBuilder;

/// <summary>Writes an <c>about_…</c> page as the plain text that <c>Get-Help</c> shows.</summary>
internal static class AboutWriter
{
    private const int Width = 80;
    private const string Indent = "    ";

    private static readonly string[] s_required = ["Short description", "Long description", "See also"];

    /// <summary>Turns a page into text.</summary>
    /// <exception cref="PageException">The page lacks a section.</exception>
    public static string Format(string path)
    {
        string page = Path.GetFileName(path);
        string name = Path.GetFileNameWithoutExtension(path);
        List<Block> blocks = Markdown.Read(page, File.ReadAllLines(path));
        if (blocks.Count == 0 || blocks[0] is not Heading { Level: 1 } title || title.Text != name)
        {
            throw new PageException(page, 1, $"the page begins with '# {name}'.");
        }

        foreach (string section in s_required)
        {
            if (!blocks.OfType<Heading>().Any(heading => heading.Level == 2 && heading.Text == section))
            {
                throw new PageException(page, 0, $"the section '## {section}' is missing.");
            }
        }

        StringBuilder text = new();
        text.Append("TOPIC\n").Append(Indent).Append(name).Append('\n');
        Block? last = null;
        foreach (Block block in blocks.Skip(1))
        {
            // No blank line between the items of one list.
            if (!(block is ListItem && last is ListItem))
            {
                text.Append('\n');
            }

            Append(text, block);
            last = block;
        }

        return text.ToString();
    }

    private static void Append(StringBuilder text, Block block)
    {
        switch (block)
        {
            case Heading { Level: 2 } heading:
                text.Append(heading.Text.ToUpperInvariant()).Append('\n');
                break;
            case Heading heading:
                text.Append("  ").Append(Markdown.Plain(heading.Text)).Append('\n');
                break;
            case Paragraph paragraph:
                Wrap(text, Markdown.Plain(paragraph.Text), Indent, Indent);
                break;
            case ListItem item:
                Wrap(text, "- " + Markdown.Plain(item.Text), Indent, Indent + "  ");
                break;
            case Code code:
                foreach (string line in code.Text.Split('\n'))
                {
                    text.Append((Indent + Indent + line).TrimEnd()).Append('\n');
                }

                break;
            case Table table:
                foreach (IReadOnlyList<string> row in table.Rows)
                {
                    Wrap(text, Markdown.Plain(TableRow.Format(row)), Indent, Indent + "  ");
                }

                break;
        }
    }

    private static void Wrap(StringBuilder text, string line, string first, string further)
    {
        string current = first;
        bool isEmpty = true;
        foreach (string word in line.Split(' '))
        {
            if (!isEmpty && current.Length + 1 + word.Length > Width)
            {
                text.Append(current).Append('\n');
                current = further;
                isEmpty = true;
            }

            current += isEmpty ? word : " " + word;
            isEmpty = false;
        }

        text.Append(current).Append('\n');
    }
}
