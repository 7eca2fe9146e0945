using System.Net;
using Conntracker.Tests.Live.Support;
using Xunit;

namespace Conntracker.Tests.Live;

/// <summary>The tree that the program keeps while it runs: what comes in, goes out, and passes through.</summary>
public sealed class CommandLineTreeTests
{
    // Routed on the internet; here it stands behind the server's cable.
    private static readonly IPAddress s_public = IPAddress.Parse("9.9.9.9");

    [Fact]
    public void Entries_appear_while_the_capture_runs_sorted_by_direction_and_stay_after_SIGTERM()
    {
        using TestNetwork network = Connect();
        using CommandLine program = new();
        string tree = program.PathOf("tree");
        using EchoServer? outside = EchoServer.Start(network.Server, FlowProtocol.Udp, s_public, 5000);
        using EchoServer? here = EchoServer.Start(network.Firewall, FlowProtocol.Udp, Firewall(), 5001);

        // Another's rule has the kernel track connections before the program does: this one is in the table when it starts.
        network.Firewall.LoadRules("table inet another { chain input { type filter hook input priority 0; ct state established accept; }; }");
        TestClient.Exchange(network.Firewall, FlowProtocol.Udp, new IPEndPoint(Firewall(), 40000), new IPEndPoint(s_public, 5000));
        using Tool tool = program.Start(network.Firewall, "--tree", tree);
        Wait(tree, $"out/udp/{Firewall()}-PORT-INTERNET-5000");

        TestClient.Exchange(network.Firewall, FlowProtocol.Udp, new IPEndPoint(Firewall(), 40001), new IPEndPoint(s_public, 5000));
        TestClient.Exchange(network.Server, FlowProtocol.Udp, new IPEndPoint(s_public, 40002), new IPEndPoint(Firewall(), 5001));
        TestClient.Exchange(network.Client, FlowProtocol.Udp, new IPEndPoint(Client(), 40003), new IPEndPoint(s_public, 5000));
        Wait(tree, $"in/udp/INTERNET-PORT-{Firewall()}-5001");
        Wait(tree, $"else/udp/{Client()}-40003-{s_public}-5000");
        Assert.True(tool.IsRunning);

        ToolResult result = tool.End("TERM");
        Assert.True(result.ExitCode == 0, result.Error);
        Assert.Equal(
            [$"else/udp/{Client()}-40003-{s_public}-5000", $"in/udp/INTERNET-PORT-{Firewall()}-5001", $"out/udp/{Firewall()}-PORT-INTERNET-5000"],
            Files(tree).Where(each => !each.Contains("icmpv6", StringComparison.Ordinal)));

        // -o was given: there is a log as well.
        Assert.Contains("port=40003", program.Read(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_of_an_earlier_run_gets_the_time_at_which_its_flow_is_seen_again_and_the_folders_stand_from_the_start()
    {
        using TestNetwork network = Connect();
        using CommandLine program = new();
        string tree = program.PathOf("tree");
        string used = Path.Join(tree, $"out/udp/{Firewall()}-PORT-INTERNET-5000");
        string unused = Path.Join(tree, $"out/udp/{Firewall()}-PORT-INTERNET-5001");
        DateTime old = new(2020, 1, 1, 0, 0, 0, DateTimeKind.Utc);
        Directory.CreateDirectory(Path.Join(tree, "out/udp"));
        foreach (string file in new[] { used, unused })
        {
            File.WriteAllText(file, "");
            File.SetLastWriteTimeUtc(file, old);
        }

        using EchoServer? outside = EchoServer.Start(network.Server, FlowProtocol.Udp, s_public, 5000);
        using Tool tool = program.Start(network.Firewall, "--tree", tree);
        Assert.Equal(["else/tcp", "else/udp", "in/tcp", "in/udp", "out/tcp", "out/udp"], Directory.EnumerateDirectories(tree)
            .SelectMany(Directory.EnumerateDirectories)
            .Select(each => Path.GetRelativePath(tree, each)).Where(each => !each.Contains("icmp", StringComparison.Ordinal)).Order(StringComparer.Ordinal));

        DateTime before = DateTime.UtcNow;
        TestClient.Exchange(network.Firewall, FlowProtocol.Udp, new IPEndPoint(Firewall(), 40001), new IPEndPoint(s_public, 5000));
        Eventually.True("the time of the entry", () => File.GetLastWriteTimeUtc(used) >= before);
        ToolResult result = tool.End("TERM");
        Assert.True(result.ExitCode == 0, result.Error);
        Assert.InRange(File.GetLastWriteTimeUtc(used), before, DateTime.UtcNow);
        Assert.Equal(old, File.GetLastWriteTimeUtc(unused));
    }

    [Fact]
    public void Without_folding_and_without_else_there_are_the_addresses_of_both_ends_and_no_log()
    {
        using TestNetwork network = Connect();
        using CommandLine program = new();
        string tree = program.PathOf("tree");
        using EchoServer? outside = EchoServer.Start(network.Server, FlowProtocol.Udp, s_public, 5000);
        DateTime defaultLog = File.GetLastWriteTimeUtc("/tmp/conntracker.log");
        using Tool tool = Tool.Start(
            CommandLine.Program, "--netns", network.Firewall.Name, "--duration", "120", "--tree", tree, "--fold-internet", "none", "--skip-else");
        Eventually.True("the program's table", () => network.Firewall.Run("nft", "list", "tables").Contains("conntracker", StringComparison.Ordinal));
        TestClient.Exchange(network.Firewall, FlowProtocol.Udp, new IPEndPoint(Firewall(), 40001), new IPEndPoint(s_public, 5000));
        TestClient.Exchange(network.Client, FlowProtocol.Udp, new IPEndPoint(Client(), 40003), new IPEndPoint(s_public, 5000));
        Wait(tree, $"out/udp/{Firewall()}-PORT-{s_public}-5000");
        ToolResult result = tool.End("INT");
        Assert.True(result.ExitCode == 0, result.Error);
        Assert.False(Directory.Exists(Path.Join(tree, "else")));
        Assert.Equal(defaultLog, File.GetLastWriteTimeUtc("/tmp/conntracker.log"));
    }

    [Fact]
    public void A_folder_that_turns_into_a_link_is_told_once_and_the_rest_goes_on()
    {
        using TestNetwork network = Connect();
        using CommandLine program = new();
        string tree = program.PathOf("tree");
        string elsewhere = program.PathOf("elsewhere");
        Directory.CreateDirectory(elsewhere);
        using EchoServer? outside = EchoServer.Start(network.Server, FlowProtocol.Udp, s_public, 5000);
        using EchoServer? here = EchoServer.Start(network.Firewall, FlowProtocol.Udp, Firewall(), 5001);
        using Tool tool = program.Start(network.Firewall, "--tree", tree);
        Directory.Delete(Path.Join(tree, "in"), recursive: true);
        Directory.CreateSymbolicLink(Path.Join(tree, "in"), elsewhere);
        TestClient.Exchange(network.Server, FlowProtocol.Udp, new IPEndPoint(s_public, 40001), new IPEndPoint(Firewall(), 5001));
        TestClient.Exchange(network.Server, FlowProtocol.Udp, new IPEndPoint(s_public, 40002), new IPEndPoint(Firewall(), 5001));
        TestClient.Exchange(network.Firewall, FlowProtocol.Udp, new IPEndPoint(Firewall(), 40003), new IPEndPoint(s_public, 5000));
        Wait(tree, $"out/udp/{Firewall()}-PORT-INTERNET-5000");
        ToolResult result = tool.End("TERM");
        Assert.Equal(1, result.ExitCode);
        Assert.Single(result.Error.Split('\n'), each => each.Contains("symbolic link", StringComparison.Ordinal));
        Assert.Empty(Directory.GetFileSystemEntries(elsewhere));
        Assert.Contains("port=40002", program.Read(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_recording_becomes_a_tree_without_any_privilege_and_a_tree_that_cannot_be_written_is_an_error()
    {
        using TestNetwork network = Connect();
        using CommandLine program = new();
        string tree = program.PathOf("tree");
        string recording = program.PathOf("capture.rec");
        using EchoServer? outside = EchoServer.Start(network.Server, FlowProtocol.Udp, s_public, 5000);
        using Tool tool = program.Start(network.Firewall, "--record", recording);
        TestClient.Exchange(network.Firewall, FlowProtocol.Udp, new IPEndPoint(Firewall(), 40001), new IPEndPoint(s_public, 5000));
        program.WaitForFlow(tool, new IPEndPoint(Firewall(), 40001));
        Assert.Equal(0, tool.End("TERM").ExitCode);

        ToolResult replay = Tool.Try("setpriv", "--bounding-set=-all", "--inh-caps=-all", CommandLine.Program, "--replay", recording, "--tree", tree);
        Assert.True(replay.ExitCode == 0, replay.Error);
        Assert.Contains($"out/udp/{Firewall()}-PORT-INTERNET-5000", Files(tree));

        ToolResult refused = CommandLine.Run("--replay", recording, "--tree", recording);
        Assert.Equal(1, refused.ExitCode);
        Assert.Contains("not a directory", refused.Error, StringComparison.Ordinal);
    }

    private static TestNetwork Connect()
    {
        TestNetwork network = new();
        network.Server.Run("ip", "address", "add", $"{s_public}/32", "dev", "eth0");
        network.Firewall.Run("ip", "route", "add", $"{s_public}", "via", TestNetwork.ServerSide.Host(FlowFamily.IPv4).ToString());
        return network;
    }

    private static IPAddress Firewall() => TestNetwork.ServerSide.Firewall(FlowFamily.IPv4);

    private static IPAddress Client() => TestNetwork.ClientSide.Host(FlowFamily.IPv4);

    private static void Wait(string tree, string name) => Eventually.True($"the entry {name}", () => File.Exists(Path.Join(tree, name)));

    private static string[] Files(string tree) =>
        [.. Directory.EnumerateFiles(tree, "*", SearchOption.AllDirectories).Select(each => Path.GetRelativePath(tree, each)).Order(StringComparer.Ordinal)];
}
