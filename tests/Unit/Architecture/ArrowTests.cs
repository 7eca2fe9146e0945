using System.Text.RegularExpressions;
using Xunit;

namespace Conntracker.Tests.Unit.Architecture;

/// <summary>The rooms of the engine and what each may refer to, as docs/architecture.md says. Taken from the compiled assembly.</summary>
public partial class ArrowTests
{
    private static readonly string s_source = Path.Combine(Fixture.Root(), "src");
    private static readonly Lazy<SortedDictionary<string, SortedDictionary<string, string>>> s_compiled = new(RoomMap.Compiled);

    public static TheoryData<string> Rooms => [.. s_compiled.Value.Keys];

    [Fact]
    public void The_table_of_rooms_has_every_room_and_no_other() =>
        Assert.Equal(s_compiled.Value.Keys, RoomMap.Described().Select(each => each.Room).Order(StringComparer.Ordinal));

    [Theory]
    [MemberData(nameof(Rooms))]
    public void A_room_refers_to_the_rooms_that_the_table_says(string room)
    {
        SortedDictionary<string, string> knows = s_compiled.Value[room];
        string[] described = RoomMap.Described().Single(each => each.Room == room).Knows;
        Assert.Equal([], knows.Where(each => !described.Contains(each.Key)).Select(each => $"{room} refers to {each.Key}: {each.Value}"));
        Assert.Equal([], described.Where(each => !knows.ContainsKey(each)).Select(each => $"{room} does not refer to {each}"));
    }

    // So there is no circle: a reader who goes down the table never meets what he has not read.
    [Fact]
    public void A_room_refers_only_to_rooms_above_it_in_the_table()
    {
        List<string> above = [];
        foreach ((string room, string[] knows) in RoomMap.Described())
        {
            Assert.Equal([], knows.Except(above).Select(each => $"{room} is above {each}, and refers to it"));
            above.Add(room);
        }
    }

    [Fact]
    public void Public_types_are_in_one_namespace() =>
        Assert.Equal(["Conntracker"], typeof(FlowQuery).Assembly.GetExportedTypes().Select(each => each.Namespace!).Distinct());

    [Fact]
    public void Only_Native_imports()
    {
        string native = Path.Combine(s_source, "Conntracker.Core", "Native") + Path.DirectorySeparatorChar;
        List<string> importing = FilesOf("").FindAll(each => Import().IsMatch(Code(each)));
        Assert.NotEmpty(importing);
        Assert.All(importing, each => Assert.StartsWith(native, each, StringComparison.Ordinal));
    }

    [Fact]
    public void The_engine_knows_nothing_of_PowerShell_nor_of_the_command_line()
    {
        IEnumerable<string> references = typeof(FlowQuery).Assembly.GetReferencedAssemblies().Select(each => each.Name!);
        Assert.All(references, each =>
            Assert.True(each.StartsWith("System.", StringComparison.Ordinal)
                || each is "Microsoft.Win32.Primitives" or "Tmds.LibC", $"Core references {each}."));
        Assert.DoesNotContain(references, each =>
            each.StartsWith("System.Management", StringComparison.Ordinal) || each.StartsWith("System.CommandLine", StringComparison.Ordinal));
        Assert.DoesNotContain(FilesOf("Conntracker.Core"), each => Code(each).Contains("System.Management.Automation", StringComparison.Ordinal));
    }

    // A package in a module's folder is loaded into the user's session, where the first version that comes wins.
    [Fact]
    public void The_engine_has_one_package_that_comes_into_a_users_session()
    {
        string project = File.ReadAllText(Path.Combine(s_source, "Conntracker.Core", "Conntracker.Core.csproj"));
        Assert.Equal(["Tmds.LibC"], PackageReference().Matches(project).Select(each => each.Groups["name"].Value));
    }

    // .NET's cryptography loads OpenSSL, and ends the process where there is none.
    [Fact]
    public void Nothing_in_the_sources_needs_OpenSSL() =>
        Assert.DoesNotContain(FilesOf(""), each => Code(each).Contains("System.Security.Cryptography", StringComparison.Ordinal));

    [Fact]
    public void Nothing_in_the_sources_needs_a_folder_beside_the_repository()
    {
        string shared = string.Join('/', "..", "shared");
        Assert.DoesNotContain(FilesOf(""), each => File.ReadAllText(each).Contains(shared, StringComparison.Ordinal));
    }

    private static List<string> FilesOf(string folder)
    {
        string built = $"{Path.DirectorySeparatorChar}obj{Path.DirectorySeparatorChar}";
        List<string> files =
            [.. Directory.EnumerateFiles(Path.Combine(s_source, folder), "*.cs", SearchOption.AllDirectories)
                .Where(each => !each.Contains(built, StringComparison.Ordinal))];
        Assert.NotEmpty(files);
        return files;
    }

    // Without comments: a comment may speak of any room.
    private static string Code(string file) => Comment().Replace(File.ReadAllText(file), "");

    [GeneratedRegex(@"\[\s*(Library|Dll)Import\b|\bNativeLibrary\.|\bextern\s+\w")]
    private static partial Regex Import();

    [GeneratedRegex(@"//.*")]
    private static partial Regex Comment();

    [GeneratedRegex("<PackageReference Include=\"(?<name>[^\"]+)\"")]
    private static partial Regex PackageReference();
}
