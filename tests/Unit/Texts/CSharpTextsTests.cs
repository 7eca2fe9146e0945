using Xunit;

namespace Conntracker.Tests.Unit.Texts;

/// <summary>Which texts of C# source code are found, and what is none.</summary>
public class CSharpTextsTests
{
    [Theory]
    [InlineData("x = \"one\";", "one")]
    [InlineData("x = \"a \\\"b\\\" c\";", "a  b  c")]
    [InlineData("x = @\"a \"\"b\"\" \\\";", "a \"b\" \\")]
    [InlineData("x = $\"a {b} c\";", "a {} c")]
    [InlineData("x = $\"a {{b}} c\";", "a {}b}} c")]
    [InlineData("x = $\"a {(b ? \"c\" : \"d\")} e\";", "c|d|a {} e")]
    [InlineData("x = $\"a {new { B = $\"c {d}\" }} e\";", "c {}|a {} e")]
    [InlineData("x = \"\"\"a \"b\" c\"\"\";", "a \"b\" c")]
    [InlineData("x = $$\"\"\"a {b} {{c(\"d\")}} e\"\"\";", "d|a {}b} {} e")]
    [InlineData("x = \"a\"u8; y = '\"'; z = \"b\";", "a|b")]
    [InlineData("x = '\\''; y = \"b\";", "b")]
    [InlineData("@class = 1; x = \"b\";", "b")]
    [InlineData("#region it's\nx = \"b\";", "b")]
    [InlineData("x = \"\"; y = \"b\";", "|b")]
    [InlineData("// \"a\"\nx = \"b\"; /* \"c\" */", "b")]
    [InlineData("x = \"// a\";", "// a")]
    [InlineData("x = \"a", "a")]
    public void Literals_are_found(string source, string expected) => Assert.Equal(expected, Join(source, SourceTextKind.Literal));

    [Theory]
    [InlineData("// a \"b\"\nx = \"c\";", "// a \"b\"")]
    [InlineData("x = \"// a\"; // b", "// b")]
    [InlineData("/* a\nb */ x = 1;", "/* a\nb ")]
    public void Comments_are_found(string source, string expected) => Assert.Equal(expected, Join(source, SourceTextKind.Comment));

    [Fact]
    public void A_text_has_the_line_where_it_begins() =>
        Assert.Equal([1, 3, 3], CSharpTexts.Of("// a\n\nx = \"b\"; /* c\n */").Select(each => each.Line));

    private static string Join(string source, SourceTextKind kind) =>
        string.Join('|', CSharpTexts.Of(source).Where(each => each.Kind == kind).Select(each => each.Text));
}
