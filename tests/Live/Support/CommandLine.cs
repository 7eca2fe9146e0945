using System.Net;
using Xunit;

namespace Conntracker.Tests.Live.Support;

/// <summary>The command line program in a process of its own, and a folder for what it writes.</summary>
internal sealed class CommandLine : IDisposable
{
    // Should the test run be killed, what it started ends by itself.
    private static readonly string[] s_limit = ["--duration", "120"];

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("conntracker-test-");
    private readonly List<Tool> _running = [];

    /// <summary>The program as './build.sh build' makes it, or what the environment names.</summary>
    public static string Program
    {
        get
        {
            string program = Environment.GetEnvironmentVariable("CONNTRACKER_PROGRAM") ?? Path.Join(Root(), "out", "conntracker");
            Assert.True(File.Exists(program), $"{program} is missing: './build.sh build' makes it.");
            return program;
        }
    }

    /// <summary>The folder.</summary>
    public string Folder => _folder.FullName;

    /// <summary>Where the log is written.</summary>
    public string Log => PathOf("flows.log");

    /// <summary>A file in the folder.</summary>
    public string PathOf(string name) => Path.Join(Folder, name);

    /// <summary>The repository's folder.</summary>
    public static string Root()
    {
        DirectoryInfo? folder = new(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Join(folder.FullName, "Conntracker.slnx")))
        {
            folder = folder.Parent;
        }

        Assert.NotNull(folder);
        return folder.FullName;
    }

    /// <summary>Runs it to its end.</summary>
    public static ToolResult Run(params IEnumerable<string> arguments) => Tool.Try(Program, arguments);

    /// <summary>Starts a capture in a namespace that writes <see cref="Log"/>; it sees every flow from here on.</summary>
    public Tool Start(TestNamespace where, params IEnumerable<string> arguments) => Start(where, CountTables, arguments);

    /// <summary>Starts a capture of packets in a namespace that writes <see cref="Log"/>; it sees every packet from here on.</summary>
    public Tool StartPackets(TestNamespace where, params IEnumerable<string> arguments)
    {
        Tool tool = Start(where, PacketCapture.CountSockets, arguments);

        // The socket is there before its filter is set; the log is written by what runs.
        WriteLog(tool);
        return tool;
    }

    /// <summary>Starts the program with these arguments and no others.</summary>
    public Tool StartPlain(params IEnumerable<string> arguments)
    {
        Tool tool = Tool.Start(Program, arguments);
        _running.Add(tool);
        return tool;
    }

    /// <summary>Has it write the log so far, and reads that.</summary>
    public string WriteLog(Tool tool)
    {
        // The kernel's clock for files ticks every few milliseconds: two logs may bear the same time.
        DateTime old = DateTime.UnixEpoch;
        if (File.Exists(Log))
        {
            File.SetLastWriteTimeUtc(Log, old);
        }

        tool.Signal("USR1");
        Eventually.True("a new log", () => File.Exists(Log) && File.GetLastWriteTimeUtc(Log) != old);
        return Read();
    }

    /// <summary>Waits until the log that it writes has a line that tells this flow.</summary>
    public string WaitForFlow(Tool tool, IPEndPoint source)
    {
        string log = "";
        string wanted = $"src = {source.Address} (port={source.Port})";
        Eventually.True($"'{wanted}' in the log", () => (log = WriteLog(tool)).Contains(wanted, StringComparison.Ordinal));
        return log;
    }

    /// <summary>The log.</summary>
    public string Read() => File.Exists(Log) ? File.ReadAllText(Log) : "";

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (Tool tool in _running)
        {
            tool.Dispose();
        }

        _folder.Delete(recursive: true);
    }

    private Tool Start(TestNamespace where, Func<TestNamespace, int> countTraces, params IEnumerable<string> arguments)
    {
        int before = countTraces(where);
        Tool tool = Tool.Start(Program, ["--netns", where.Name, "-o", Log, .. arguments.Contains("--duration") ? [] : s_limit, .. arguments]);
        _running.Add(tool);
        Eventually.True($"the program at work\n{tool.Error}", () => countTraces(where) > before);
        return tool;
    }

    private static int CountTables(TestNamespace where) =>
        where.Run("nft", "list", "tables").Split('\n').Count(line => line.StartsWith("table inet conntracker", StringComparison.Ordinal));
}
