using Xunit;

namespace Conntracker.Tests.Unit.Texts;

/// <summary>A source file fits on a screen's width, and can be read in one sitting: src and tests, C# only.</summary>
public class SourceLayoutTests
{
    private const int MaximumColumns = 160;
    private const int MaximumLines = 350;

    /// <summary>The source files below src and tests.</summary>
    public static TheoryData<string> Files => [.. Sources().Select(each => Path.GetRelativePath(Fixture.Root(), each))];

    [Theory]
    [MemberData(nameof(Files))]
    public void Lines_and_files_are_short(string file)
    {
        string[] faults = [.. FaultsOf(file, File.ReadAllLines(Path.Combine(Fixture.Root(), file)))];
        Assert.True(faults.Length == 0, string.Join('\n', faults));
    }

    [Fact]
    public void A_long_line_and_a_long_file_are_found()
    {
        string[] lines = [.. Enumerable.Repeat(new string('x', MaximumColumns), MaximumLines)];
        Assert.Empty(FaultsOf("a.cs", lines));
        Assert.Equal(["a.cs has 351 lines; the maximum is 350"], FaultsOf("a.cs", [.. lines, ""]));
        lines[1] += "x";
        Assert.Equal(["a.cs:2 has 161 columns; the maximum is 160"], FaultsOf("a.cs", lines));
    }

    [Fact]
    public void Src_and_tests_are_searched()
    {
        Assert.Contains(Sources(), each => each.EndsWith("/src/Conntracker.Core/Flows/FlowTable.cs", StringComparison.Ordinal));
        Assert.Contains(Sources(), each => each.EndsWith("/tests/Unit/Texts/SourceLayoutTests.cs", StringComparison.Ordinal));
    }

    private static IEnumerable<string> FaultsOf(string file, string[] lines)
    {
        for (int i = 0; i < lines.Length; i++)
        {
            if (lines[i].Length > MaximumColumns)
            {
                yield return $"{file}:{i + 1} has {lines[i].Length} columns; the maximum is {MaximumColumns}";
            }
        }

        if (lines.Length > MaximumLines)
        {
            yield return $"{file} has {lines.Length} lines; the maximum is {MaximumLines}";
        }
    }

    private static IEnumerable<string> Sources()
    {
        string built = $"{Path.DirectorySeparatorChar}obj{Path.DirectorySeparatorChar}";
        string[] directories = [Path.Combine(Fixture.Root(), "src"), Path.Combine(Fixture.Root(), "tests")];
        return directories.SelectMany(each => Directory.EnumerateFiles(each, "*.cs", SearchOption.AllDirectories))
            .Where(each => !each.Contains(built, StringComparison.Ordinal));
    }
}
