using System.Text.RegularExpressions;

namespace Conntracker.HelpBuilder;

/// <summary>
/// Reads the page of a command. Every page has the same sections in the same order. A missing section, or parameters other than those of the syntax,
/// are errors.
/// </summary>
internal sealed partial class CommandPageReader
{
    private const int FewestExamples = 3;

    private static readonly string[] s_sections =
        ["Synopsis", "Syntax", "Description", "Parameters", "Inputs", "Outputs", "Notes", "Examples", "Related links"];

    private readonly string _page;
    private readonly string _name;
    private readonly Dictionary<string, (int Line, List<Block> Blocks)> _sections = [];

    private CommandPageReader(string page, string name, List<Block> blocks)
    {
        _page = page;
        _name = name;
        if (blocks.Count == 0 || blocks[0] is not Heading { Level: 1 } title || title.Text != name)
        {
            throw new PageException(page, 1, $"the page begins with '# {name}'.");
        }

        foreach (Block block in blocks.Skip(1))
        {
            if (block is Heading { Level: 2 } heading)
            {
                if (_sections.Count == s_sections.Length || heading.Text != s_sections[_sections.Count])
                {
                    string wanted = _sections.Count == s_sections.Length ? "no further section" : $"'## {s_sections[_sections.Count]}'";
                    throw new PageException(page, heading.Line, $"here stands '## {heading.Text}' where {wanted} is wanted. The sections are {string.Join(", ", s_sections)}.");
                }

                _sections.Add(heading.Text, (heading.Line, []));
            }
            else if (_sections.Count == 0)
            {
                throw new PageException(page, block.Line, "nothing stands between the title and '## Synopsis'.");
            }
            else
            {
                _sections[s_sections[_sections.Count - 1]].Blocks.Add(block);
            }
        }

        foreach (string section in s_sections)
        {
            if (!_sections.TryGetValue(section, out (int Line, List<Block> Blocks) found))
            {
                throw new PageException(page, 0, $"the section '## {section}' is missing.");
            }

            if (found.Blocks.Count == 0)
            {
                throw new PageException(page, found.Line, $"the section '## {section}' is empty.");
            }
        }
    }

    /// <summary>Reads a page.</summary>
    /// <param name="path">The file, named for its command.</param>
    /// <exception cref="PageException">The page is not valid.</exception>
    public static CommandPage Read(string path)
    {
        string page = Path.GetFileName(path);
        return new CommandPageReader(page, Path.GetFileNameWithoutExtension(path), Markdown.Read(page, File.ReadAllLines(path))).ToPage();
    }

    private CommandPage ToPage()
    {
        List<Syntax> syntaxes = [.. Blocks("Syntax").OfType<Code>().Select(ReadSyntax)];
        List<ParameterText> parameters = [.. Parts("Parameters").Select(ReadParameter)];
        CheckNames(syntaxes, parameters);
        return new CommandPage(
            _name,
            Blocks("Synopsis") is [Paragraph synopsis] ? Markdown.Plain(synopsis.Text) : throw Fault("Synopsis", "it is one paragraph"),
            syntaxes,
            Blocks("Description"),
            parameters,
            [.. Parts("Inputs").Select(part => new TypeText(part.Title.Text, part.Blocks))],
            [.. Parts("Outputs").Select(part => new TypeText(part.Title.Text, part.Blocks))],
            Blocks("Notes"),
            ReadExamples(),
            [.. Blocks("Related links").OfType<ListItem>().Select(item => Markdown.Plain(item.Text))]);
    }

    private List<Block> Blocks(string section) => _sections[section].Blocks;

    private PageException Fault(string section, string wanted) => new(_page, _sections[section].Line, $"'## {section}': {wanted}.");

    // The blocks below each heading of the third level.
    private List<(Heading Title, List<Block> Blocks)> Parts(string section)
    {
        List<(Heading Title, List<Block> Blocks)> parts = [];
        foreach (Block block in Blocks(section))
        {
            if (block is Heading heading)
            {
                parts.Add((heading, []));
            }
            else if (parts.Count == 0)
            {
                throw new PageException(_page, block.Line, $"'## {section}' begins with a heading '### …'.");
            }
            else
            {
                parts[^1].Blocks.Add(block);
            }
        }

        return parts.Find(part => part.Blocks.Count == 0).Title is Heading empty
            ? throw new PageException(_page, empty.Line, $"nothing stands below '### {empty.Text}'.")
            : parts;
    }

    private Syntax ReadSyntax(Code code)
    {
        string text = string.Join(' ', code.Text.Split('\n', StringSplitOptions.TrimEntries));
        if (!text.StartsWith(_name + " ", StringComparison.Ordinal) || !text.EndsWith("[<CommonParameters>]", StringComparison.Ordinal))
        {
            throw new PageException(_page, code.Line, $"a syntax begins with '{_name}' and ends with '[<CommonParameters>]'.");
        }

        return new Syntax([.. SyntaxItem().Matches(text[_name.Length..]).Select(match => new SyntaxParameter(
            match.Groups["name"].Value, IsRequired(match.Value), !match.Groups["type"].Success))]);
    }

    // "-Path <string>" and "[-Path] <string>"; but not "[[-Path] <string>]" and "[-Path <string>]".
    private static bool IsRequired(string item) =>
        item[0] != '[' || (item[1] == '-' && item.Contains("] <", StringComparison.Ordinal));

    private ParameterText ReadParameter((Heading Title, List<Block> Blocks) part)
    {
        if (!part.Title.Text.StartsWith('-') || part.Blocks[^1] is not Table table || part.Blocks.Count < 2)
        {
            throw new PageException(_page, part.Title.Line, "a parameter has a heading '### -Name', its meaning, and last a table with what it takes.");
        }

        Dictionary<string, string> facts = table.Rows.ToDictionary(row => row[0], row => Markdown.Plain(row[1]));
        string Fact(string key) => facts.TryGetValue(key, out string? value) && value.Length > 0
            ? value
            : throw new PageException(_page, table.Line, $"the table of {part.Title.Text} lacks '{key}'.");
        return new ParameterText(
            part.Title.Text[1..], part.Blocks[..^1],
            Fact("Type"), YesOrNo("Required"), Fact("Position"), Fact("Default"), Fact("Pipeline input"), YesOrNo("Wildcards"), Fact("Aliases"),
            facts.GetValueOrDefault("Values"));

        bool YesOrNo(string key) => Fact(key) switch
        {
            "yes" => true,
            "no" => false,
            string other => throw new PageException(_page, table.Line, $"'{key}' of {part.Title.Text} is yes or no, not '{other}'."),
        };
    }

    private List<Example> ReadExamples()
    {
        List<Example> examples = [];
        foreach ((Heading title, List<Block> blocks) in Parts("Examples"))
        {
            if (blocks[0] is not Code { Language: "powershell" } code || blocks.Count < 2)
            {
                throw new PageException(_page, title.Line, "an example begins with code (```powershell) and then says what it shows.");
            }

            examples.Add(new Example(Markdown.Plain(title.Text), code.Text, blocks[1..]));
        }

        return examples.Count >= FewestExamples ? examples : throw Fault("Examples", $"there are {examples.Count}, and {FewestExamples} are the least");
    }

    private void CheckNames(List<Syntax> syntaxes, List<ParameterText> parameters)
    {
        if (syntaxes.Count == 0)
        {
            throw Fault("Syntax", "a block of code for each way to call the command");
        }

        HashSet<string> called = [.. syntaxes.SelectMany(syntax => syntax.Parameters).Select(parameter => parameter.Name)];
        HashSet<string> described = [.. parameters.Select(parameter => parameter.Name)];
        if (called.Except(described).FirstOrDefault() is string undescribed)
        {
            throw Fault("Parameters", $"-{undescribed} stands in the syntax and is not described");
        }

        if (described.Except(called).FirstOrDefault() is string uncalled)
        {
            throw Fault("Syntax", $"-{uncalled} is described and stands in no syntax");
        }
    }

    [GeneratedRegex(@"\[?\[?-(?<name>\w+)\]?(?: <(?<type>[\w\[\]]+)>)?\]?")]
    private static partial Regex SyntaxItem();
}
