using System.Xml.Linq;

namespace Conntracker.HelpBuilder;

/// <summary>Writes command pages as MAML, the XML that <c>Get-Help</c> reads.</summary>
internal static class MamlWriter
{
    private static readonly XNamespace s_msh = "http://msh";
    private static readonly XNamespace s_maml = "http://schemas.microsoft.com/maml/2004/10";
    private static readonly XNamespace s_command = "http://schemas.microsoft.com/maml/dev/command/2004/10";
    private static readonly XNamespace s_dev = "http://schemas.microsoft.com/maml/dev/2004/10";

    /// <summary>Writes the pages to a file.</summary>
    public static void Write(string path, IEnumerable<CommandPage> pages) => new XDocument(
        new XDeclaration("1.0", "utf-8", null),
        new XElement(s_msh + "helpItems", new XAttribute("schema", "maml"), pages.Select(Command))).Save(path);

    private static XElement Command(CommandPage page)
    {
        string[] words = page.Name.Split('-');
        Dictionary<string, ParameterText> parameters = page.Parameters.ToDictionary(each => each.Name);
        return new XElement(
            s_command + "command",
            new XAttribute(XNamespace.Xmlns + "maml", s_maml),
            new XAttribute(XNamespace.Xmlns + "command", s_command),
            new XAttribute(XNamespace.Xmlns + "dev", s_dev),
            new XElement(
                s_command + "details",
                new XElement(s_command + "name", page.Name),
                new XElement(s_command + "verb", words[0]),
                new XElement(s_command + "noun", words[1]),
                new XElement(s_maml + "description", Para(page.Synopsis))),
            new XElement(s_maml + "description", Paras(page.Description)),
            new XElement(s_command + "syntax", page.Syntaxes.Select(syntax => new XElement(
                s_command + "syntaxItem",
                new XElement(s_maml + "name", page.Name),
                syntax.Parameters.Select(each => Parameter(parameters[each.Name], each.Required, each.IsSwitch))))),
            new XElement(s_command + "parameters", page.Parameters.Select(each => Parameter(each, each.Required, isSwitch: false))),
            new XElement(s_command + "inputTypes", page.Inputs.Select(each => Type("inputType", each))),
            new XElement(s_command + "returnValues", page.Outputs.Select(each => Type("returnValue", each))),
            new XElement(s_maml + "alertSet", new XElement(s_maml + "alert", Paras(page.Notes))),
            new XElement(s_command + "examples", page.Examples.Select(Example)),
            new XElement(s_command + "relatedLinks", page.Links.Select(link => new XElement(
                s_maml + "navigationLink",
                new XElement(s_maml + "linkText", link),
                new XElement(s_maml + "uri")))));
    }

    private static XElement Parameter(ParameterText text, bool required, bool isSwitch)
    {
        XElement parameter = new(
            s_command + "parameter",
            new XAttribute("required", required),
            new XAttribute("variableLength", text.Type.EndsWith("[]", StringComparison.Ordinal)),
            new XAttribute("globbing", text.Wildcards),
            new XAttribute("pipelineInput", PipelineInput(text.PipelineInput)),
            new XAttribute("position", text.Position),
            new XAttribute("aliases", text.Aliases),
            new XElement(s_maml + "name", text.Name),
            new XElement(s_maml + "description", Paras(text.Description), text.Values is null ? null : Para($"Values: {text.Values}.")));
        if (!isSwitch)
        {
            parameter.Add(new XElement(
                s_command + "parameterValue", new XAttribute("required", text.Type != "switch"), new XAttribute("variableLength", "false"), text.Type));
        }

        parameter.Add(
            new XElement(s_dev + "type", new XElement(s_maml + "name", text.Type), new XElement(s_maml + "uri")),
            new XElement(s_dev + "defaultValue", text.Default));
        return parameter;
    }

    // The words that Get-Help shows for commands without a page.
    private static string PipelineInput(string text) => text switch
    {
        "no" => "false",
        "by value" => "true (ByValue)",
        "by property name" => "true (ByPropertyName)",
        _ => "true (ByValue, ByPropertyName)",
    };

    private static XElement Type(string name, TypeText text) => new(
        s_command + name,
        new XElement(s_dev + "type", new XElement(s_maml + "name", text.Name), new XElement(s_maml + "uri")),
        new XElement(s_maml + "description", Paras(text.Description)));

    // Output in the page follows the typed command, as on a screen.
    private static XElement Example(Example example) => new(
        s_command + "example",
        new XElement(s_maml + "title", $"-------------- {example.Title} --------------"),
        new XElement(s_dev + "code", string.Join("\n\n", example.Remarks.OfType<Code>().Select(each => each.Text).Prepend(example.Code))),
        new XElement(s_dev + "remarks", Paras(example.Remarks.Where(each => each is not Code)), Para("")));

    private static XElement Para(string text) => new(s_maml + "para", text);

    private static IEnumerable<XElement> Paras(IEnumerable<Block> blocks) => blocks.SelectMany(Lines).Select(Para);

    private static IEnumerable<string> Lines(Block block) => block switch
    {
        Paragraph paragraph => [Markdown.Plain(paragraph.Text)],
        ListItem item => ["- " + Markdown.Plain(item.Text)],
        Code code => [code.Text],
        Table table => table.Rows.Select(row => Markdown.Plain(TableRow.Format(row))),
        _ => [],
    };
}
