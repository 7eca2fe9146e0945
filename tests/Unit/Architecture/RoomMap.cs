using System.Text.RegularExpressions;

namespace Conntracker.Tests.Unit.Architecture;

/// <summary>The rooms of the engine (the directories below src/Conntracker.Core) as they are compiled, and as docs/architecture.md describes them.</summary>
internal static partial class RoomMap
{
    private const string Engine = "src/Conntracker.Core/";

    /// <summary>Which rooms each room refers to, with one pair of types as an example; by the folders of the types' source files.</summary>
    public static SortedDictionary<string, SortedDictionary<string, string>> Compiled()
    {
        AssemblyTypes types = AssemblyTypes.Load(typeof(FlowQuery).Assembly.Location);
        Dictionary<string, string> roomOf = [];
        SortedDictionary<string, SortedDictionary<string, string>> rooms = new(StringComparer.Ordinal);
        foreach ((string type, HashSet<string> files) in types.Files)
        {
            // What the compiler itself adds has no file here; of a partial type the generated part stands below out/.
            string[] folders = [.. files.Where(each => each.Contains(Engine, StringComparison.Ordinal)).Select(FolderOf).Distinct()];
            if (folders.Length > 0)
            {
                roomOf.Add(type, folders.Length == 1 ? folders[0]
                    : throw new InvalidOperationException($"{type} is in several rooms: {string.Join(", ", folders)}."));
                rooms.TryAdd(folders[0], new(StringComparer.Ordinal));
            }
        }

        foreach ((string type, HashSet<string> references) in types.References)
        {
            foreach (string reference in references)
            {
                if (roomOf.TryGetValue(type, out string? from) && roomOf.TryGetValue(reference, out string? to) && from != to)
                {
                    rooms[from].TryAdd(to, $"{Short(type)} → {Short(reference)}");
                }
            }
        }

        AddConstants(rooms);
        return rooms;
    }

    // The compiler copies constants, so a room that needs only another one's constants refers to it by its using directives alone.
    private static void AddConstants(SortedDictionary<string, SortedDictionary<string, string>> rooms)
    {
        string engine = Path.Combine(Fixture.Root(), Engine);
        foreach (string file in Directory.EnumerateFiles(engine, "*.cs", SearchOption.AllDirectories))
        {
            if (!rooms.TryGetValue(FolderOf(file), out SortedDictionary<string, string>? knows))
            {
                continue;
            }

            foreach (Match named in Using().Matches(File.ReadAllText(file)))
            {
                string name = named.Groups["room"].Value.Replace('.', '/');
                string to = rooms.ContainsKey(name) ? name : Path.GetDirectoryName(name)!;
                if (to != FolderOf(file))
                {
                    knows.TryAdd(to, Path.GetFileName(file));
                }
            }
        }
    }

    /// <summary>The table of rooms in docs/architecture.md: what each room may refer to, in the table's order.</summary>
    public static List<(string Room, string[] Knows)> Described() =>
        [.. File.ReadLines(Path.Combine(Fixture.Root(), "docs", "architecture.md")).Select(line => Row().Match(line)).Where(row => row.Success)
            .Select(row => (row.Groups["room"].Value, Name().Matches(row.Groups["knows"].Value).Select(each => each.Groups["room"].Value).ToArray()))];

    private static string FolderOf(string file) => Path.GetDirectoryName(file[(file.IndexOf(Engine, StringComparison.Ordinal) + Engine.Length)..])!;

    private static string Short(string type) => type[(type.LastIndexOf('.') + 1)..];

    // A static using names a type behind the room.
    [GeneratedRegex(@"^using (static )?Conntracker\.Core\.(?<room>[\w.]+);", RegexOptions.Multiline)]
    private static partial Regex Using();

    // | `Room/` | what it holds | `Other/`, `Third/` |
    [GeneratedRegex(@"^\| `(?<room>[A-Z][\w/]*)/` \|[^|]*\|(?<knows>[^|]*)\|$")]
    private static partial Regex Row();

    [GeneratedRegex("`(?<room>[A-Z][\\w/]*)/`")]
    private static partial Regex Name();
}
