using System.Text.RegularExpressions;
using Xunit;

namespace Conntracker.Tests.Unit;

/// <summary>The arrows of docs/architecture.md: kernel → Sources → Decoding → Flows → Views → Export, Rules; Capture conducts.</summary>
public partial class ArrowTests
{
    private const string CoreNamespace = "Conntracker.Core.";
    private static readonly string s_source = Path.Combine(Fixture.Root(), "src");

    /// <summary>
    /// Which rooms a room may name. The public objects (namespace Conntracker) may be named by all: Flows holds FlowProtocol, and so on.
    /// Two arrows point back on purpose: Flows takes in Decoding's message and Decoding fills Flows' key, both structs without behaviour; and
    /// two of the public objects ask the table (FlowQuery) or stand for a session (Capture).
    /// </summary>
    private static readonly Dictionary<string, string[]> s_allowed = new()
    {
        ["Native"] = [],
        ["Netlink"] = ["Native"],
        ["Sources"] = ["Native", "Netlink"],
        ["Decoding"] = ["Native", "Netlink", "Flows"],
        ["Flows"] = ["Native", "Decoding"],
        ["Firewall"] = ["Native", "Flows"],
        ["Packets"] = ["Native", "Decoding", "Flows"],
        ["Processes"] = ["Decoding", "Flows"],
        ["Tracing"] = ["Native", "Netlink", "Sources", "Decoding", "Flows", "Firewall"],
        ["Views"] = ["Native", "Flows", "Processes", "Tracing", "Capture"],
        ["Export"] = ["Native", "Flows", "Views"],
        ["Rules"] = ["Flows", "Views", "Firewall"],
        ["Capture"] = ["Native", "Netlink", "Sources", "Decoding", "Flows", "Firewall", "Packets", "Processes", "Tracing", "Views"],
    };

    public static TheoryData<string> Rooms =>
        [.. Directory.GetDirectories(Path.Combine(s_source, "Conntracker.Core")).Select(each => Path.GetFileName(each)).Where(each => each is not ("bin" or "obj"))];

    [Theory]
    [MemberData(nameof(Rooms))]
    public void A_room_names_only_the_rooms_that_it_may_know(string room)
    {
        Assert.True(s_allowed.ContainsKey(room), $"{room} is a new room: say in this test which rooms it may name.");
        IEnumerable<string> wrong =
            from file in FilesOf(Path.Combine("Conntracker.Core", room))
            from Match match in RoomName().Matches(Code(file))
            let named = match.Groups["room"].Value
            where named != room && s_allowed.ContainsKey(named) && !s_allowed[room].Contains(named)
            select $"{Path.GetFileName(file)} names {named}";
        Assert.Empty(wrong.Distinct());
    }

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
        Assert.All(references, each => Assert.True(each.StartsWith("System.", StringComparison.Ordinal) || each is "Microsoft.Win32.Primitives" or "Tmds.LibC", $"Core references {each}."));
        Assert.DoesNotContain(references, each => each.StartsWith("System.Management", StringComparison.Ordinal) || each.StartsWith("System.CommandLine", StringComparison.Ordinal));
        Assert.DoesNotContain(FilesOf("Conntracker.Core"), each => Code(each).Contains("System.Management.Automation", StringComparison.Ordinal));
    }

    // A package in a module's folder is loaded into the user's session, where the first version that comes wins.
    [Fact]
    public void The_engine_has_one_package_that_comes_into_a_users_session()
    {
        string project = File.ReadAllText(Path.Combine(s_source, "Conntracker.Core", "Conntracker.Core.csproj"));
        Assert.Equal(["Tmds.LibC"], PackageReference().Matches(project).Select(each => each.Groups["name"].Value));
    }

    [Fact]
    public void The_public_objects_are_named_for_the_user_and_the_engine_is_internal()
    {
        // Public are the objects of the namespace Conntracker, and what the cmdlets and the command line start and write with.
        string[] rooms = [.. new[] { "Native", "Netlink", "Sources", "Decoding", "Flows" }.Select(each => CoreNamespace + each)];
        Assert.DoesNotContain(typeof(FlowQuery).Assembly.GetExportedTypes(), each => rooms.Contains(each.Namespace));
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
            [.. Directory.EnumerateFiles(Path.Combine(s_source, folder), "*.cs", SearchOption.AllDirectories).Where(each => !each.Contains(built, StringComparison.Ordinal))];
        Assert.NotEmpty(files);
        return files;
    }

    // Without comments: a comment may speak of any room.
    private static string Code(string file) => Comment().Replace(File.ReadAllText(file), "");

    [GeneratedRegex(@"(?<![\w.])(Conntracker\.)?Core\.(?<room>\w+)|(?<=^namespace Conntracker\.Core\.)(?<room>\w+)|(?<![\w.""])(?<room>Native|Netlink|Sources|Decoding|Firewall|Export)\.(?=[A-Z])", RegexOptions.Multiline)]
    private static partial Regex RoomName();

    [GeneratedRegex(@"\[\s*(Library|Dll)Import\b|\bNativeLibrary\.|\bextern\s+\w")]
    private static partial Regex Import();

    [GeneratedRegex(@"//.*")]
    private static partial Regex Comment();

    [GeneratedRegex("<PackageReference Include=\"(?<name>[^\"]+)\"")]
    private static partial Regex PackageReference();
}
