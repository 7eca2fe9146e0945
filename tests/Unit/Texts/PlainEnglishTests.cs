using System.Text.RegularExpressions;
using System.Xml.Linq;
using Xunit;

namespace Conntracker.Tests.Unit.Texts;

/// <summary>
/// The words that users read are the field's: README, docs, the labels of the views, and every string literal of the sources. Identifiers (code in
/// Markdown) are not looked at, nor are the comments of the sources, until their kind is in the list below.
/// </summary>
public partial class PlainEnglishTests
{
    private static readonly SourceTextKind[] s_kinds = [SourceTextKind.Literal, SourceTextKind.Comment];

    // What is banned, an example of it, and what to write instead.
    private static readonly (Regex Banned, string Example, string Instead)[] s_words =
    [
        (Word("heads?"), "the head of a packet", "header, headers"),
        (Word("anew"), "starts anew", "again"),
        (Word("(is|are|was|were|be) told"), "is told", "is shown, is reported"),
        (Word("tells?"), "tells how many", "shows, reports, describes"),
        (Word("for ever"), "waits for ever", "without limit"),
        (Word("all the same"), "runs all the same", "still, anyway"),
        (Word("(one|object|flow|string|file) an? (line|flow|row|entry|capture)"), "one a line", "one per line"),
        (Word("receipts?"), "the receipt", "counters"),
        (Word("(one|file|that|name) (that )?is (none|no entry)"), "one that is none", "is not a …"),
        (Word("bears?|bore"), "bears floods", "withstands, has"),
        (Word("meanwhile"), "meanwhile", "while …, until then"),
        (Word("spoken|speaks? of"), "both have spoken", "sent packets; mention"),
        (Word("puts? back"), "put back", "restore"),
        (Word("taken in"), "was taken in", "received, read"),
        (Word("no more(?! than)|any more"), "tracks no more", "no longer"),
        (Word("go(es)? on|went on"), "goes on", "continue"),
        (Word("switch(es|ed)? (\\w+ ){0,2}on"), "switches tracking on", "enable"),
        (Word("cut off"), "is cut off", "truncated"),
        (Word("folders?"), "the folder", "directory"),
        (Word("whoever|somebody"), "whoever asks", "another user, another program"),
        (Word("asked for"), "is asked for", "requested"),
        (Word("hand(s|ed)? on"), "hands on", "emit, pass"),
        (Word("parted by"), "parted by spaces", "separated by"),
    ];

    /// <summary>The files whose words are looked at.</summary>
    public static TheoryData<string> Files => [.. Markdown().Concat(Views()).Concat(Sources()).Select(each => Path.GetRelativePath(Fixture.Root(), each))];

    [Theory]
    [MemberData(nameof(Files))]
    public void The_words_are_the_fields(string file)
    {
        string[] faults = [.. FaultsOf(file, Texts(Path.Combine(Fixture.Root(), file)))];
        Assert.True(faults.Length == 0, string.Join('\n', faults));
    }

    [Fact]
    public void Each_word_is_found_and_named_with_its_line_and_the_plain_word() => Assert.All(s_words, each =>
    {
        string expected = $"page.md:3: '{each.Banned.Match(each.Example).Value}'; plain is: {each.Instead}";
        Assert.Contains(expected, FaultsOf("page.md", [new SourceText(SourceTextKind.Literal, 2, $"First line.\n{each.Example} ends.")]));
    });

    [Fact]
    public void Code_in_Markdown_is_not_looked_at() =>
        Assert.Equal("\n\n\n\nText  of .", Prose("```sh\nls head\n```\n\nText `LogFolder` of ."));

    [Fact]
    public void There_are_files_of_each_kind()
    {
        Assert.Contains(Markdown(), each => Path.GetFileName(each) == "README.md");
        Assert.Contains(Markdown(), each => Path.GetFileName(each) == "about_Conntracker.md");
        Assert.NotEmpty(Views());
        Assert.True(Sources().Count() > 100);
    }

    private static IEnumerable<string> FaultsOf(string file, IEnumerable<SourceText> texts) =>
        from text in texts
        from word in s_words
        from Match match in word.Banned.Matches(text.Text)
        select $"{file}:{text.Line + text.Text.AsSpan(0, match.Index).Count('\n')}: '{match.Value}'; plain is: {word.Instead}";

    private static IEnumerable<SourceText> Texts(string path) => Path.GetExtension(path) switch
    {
        ".md" => [new SourceText(SourceTextKind.Literal, 1, Prose(File.ReadAllText(path)))],
        ".ps1xml" => XDocument.Load(path, LoadOptions.SetLineInfo).Descendants("Label")
            .Select(each => new SourceText(SourceTextKind.Literal, ((System.Xml.IXmlLineInfo)each).LineNumber, each.Value)),
        _ => CSharpTexts.Of(File.ReadAllText(path)).Where(each => s_kinds.Contains(each.Kind)),
    };

    // Without code, whose line ends stay so that lines keep their numbers.
    private static string Prose(string markdown) =>
        Code().Replace(markdown, match => new string('\n', match.Value.AsSpan().Count('\n')));

    private static IEnumerable<string> Markdown() =>
        Directory.EnumerateFiles(Fixture.Root(), "*.md")
            .Concat(Directory.EnumerateFiles(Path.Combine(Fixture.Root(), "docs"), "*.md", SearchOption.AllDirectories));

    private static IEnumerable<string> Views() => Directory.EnumerateFiles(Path.Combine(Fixture.Root(), "src", "Conntracker.PowerShell"), "*.ps1xml");

    private static IEnumerable<string> Sources()
    {
        string built = $"{Path.DirectorySeparatorChar}obj{Path.DirectorySeparatorChar}";
        return Directory.EnumerateFiles(Path.Combine(Fixture.Root(), "src"), "*.cs", SearchOption.AllDirectories)
            .Where(each => !each.Contains(built, StringComparison.Ordinal));
    }

    private static Regex Word(string pattern) => new($@"\b({pattern})\b", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant);

    [GeneratedRegex("^```.*?^```|`[^`\n]*`", RegexOptions.Singleline | RegexOptions.Multiline)]
    private static partial Regex Code();
}
