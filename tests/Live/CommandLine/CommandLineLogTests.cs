using System.Net;
using System.Text.Json;
using Conntracker.Tests.Live.Support;
using Xunit;

namespace Conntracker.Tests.Live;

/// <summary>What the program writes, and where: formats of the log, and files in folders that others can write to.</summary>
public sealed class CommandLineLogTests
{
    private static readonly IPEndPoint s_client = new(IPAddress.Loopback, 40001);
    private static readonly IPEndPoint s_server = new(IPAddress.Loopback, 5000);

    [Theory]
    [InlineData("json")]
    [InlineData("jsonlines")]
    public void Json_has_the_names_of_the_flows_properties(string format)
    {
        using TestNamespace host = new();
        using CommandLine program = new();

        string log = CaptureOneFlow(host, program, "--format", format, "--accounting");

        string array = format == "json" ? log : $"[{string.Join(',', log.Split('\n', StringSplitOptions.RemoveEmptyEntries))}]";
        using JsonDocument document = JsonDocument.Parse(array);
        JsonElement flow = Assert.Single(document.RootElement.EnumerateArray().ToArray());
        Assert.Subset(typeof(Flow).GetProperties().Select(property => property.Name).ToHashSet(), flow.EnumerateObject().Select(each => each.Name).ToHashSet());
        Assert.Equal(
            ("Udp", "IPv4", "127.0.0.1", 40001, "127.0.0.1", 5000, "Local"),
            (Text(flow, "Protocol"), Text(flow, "Family"), Text(flow, "SrcAddress"), Number(flow, "SrcPort"),
                Text(flow, "DstAddress"), Number(flow, "DstPort"), Text(flow, "Direction")));
        Assert.Equal(("Replied", 1, 60), (Text(flow, "State"), Number(flow, "Packets"), Number(flow, "ReplyBytes")));
        Assert.True(flow.GetProperty("Confirmed").GetBoolean());
        Assert.InRange(flow.GetProperty("FirstSeen").GetDateTimeOffset(), DateTimeOffset.UtcNow.AddMinutes(-1), DateTimeOffset.UtcNow);
    }

    [Fact]
    public void Csv_has_the_names_of_the_flows_properties()
    {
        using TestNamespace host = new();
        using CommandLine program = new();

        string[] lines = CaptureOneFlow(host, program, "--format", "csv").Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);

        Assert.Equal(2, lines.Length);
        Assert.Subset(
            typeof(Flow).GetProperties().Select(property => property.Name).ToHashSet(),
            lines[0].Split(',').Select(name => name.Trim('"')).ToHashSet());
        Assert.Contains("40001", lines[1], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("v1", " UDPv4 [           0] src = 127.0.0.1 (port=1024) to dst = 127.0.0.1 (port=5000) (confirmed)\n")]
    [InlineData("v2", "src = 127.0.0.1 (port=1024) to dst = 127.0.0.1 (port=5000) (confirmed)\n")]
    [InlineData("v3", " UDPv4 [           0] src = 127.0.0.1 (port=5000) to dst = 127.0.0.1 (port=40001) (-)\n")]
    [InlineData("v3", " UDPv4 [           1] src = 127.0.0.1 (port=40001) to dst = 127.0.0.1 (port=5000) (-)\n")]
    public void Each_generation_of_the_text_log_tells_the_flow(string style, string expected)
    {
        using TestNamespace host = new();
        using CommandLine program = new();

        Assert.Contains(expected, CaptureOneFlow(host, program, "--style", style), StringComparison.Ordinal);
    }

    [Fact]
    public void A_recording_replays_to_the_same_log_without_any_privilege()
    {
        using TestNamespace host = new();
        using CommandLine program = new();
        string recording = program.PathOf("capture.rec");
        string log = CaptureOneFlow(host, program, "--format", "json", "--record", recording);

        ToolResult replay = Tool.Try(
            "setpriv", "--bounding-set=-all", "--inh-caps=-all", CommandLine.Program, "--replay", recording, "--format", "json", "-o", "-");

        Assert.Equal((0, log), (replay.ExitCode, replay.Output));
    }

    [Fact]
    public void The_log_can_be_read_by_its_owner_only()
    {
        using TestNamespace host = new();
        using CommandLine program = new();

        CaptureOneFlow(host, program);

        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(program.Log));
        Assert.Equal([program.Log], Directory.GetFiles(program.Folder));
    }

    [Fact]
    public void A_link_at_the_logs_path_is_refused_and_what_it_points_at_stays()
    {
        using TestNamespace host = new();
        using CommandLine program = new();
        string target = program.PathOf("precious");
        File.WriteAllText(target, "precious");
        File.CreateSymbolicLink(program.Log, target);

        AssertRefused(host, program);

        Assert.Equal("precious", File.ReadAllText(target));
        Assert.Equal(target, new FileInfo(program.Log).LinkTarget);
    }

    [Fact]
    public void A_file_of_another_owner_at_the_logs_path_is_refused_and_stays()
    {
        using TestNamespace host = new();
        using CommandLine program = new();
        File.WriteAllText(program.Log, "another's");
        Tool.Run("chown", "65534", program.Log);

        AssertRefused(host, program);

        Assert.Equal("another's", program.Read());
    }

    [Fact]
    public void A_log_that_cannot_be_there_is_refused_before_anything_is_captured()
    {
        using TestNamespace host = new();
        using CommandLine program = new();

        AssertRefused(host, program, program.PathOf("no/such/folder/flows.log"));
    }

    [Fact]
    public void A_user_who_takes_the_logs_place_while_it_captures_does_not_cost_the_flows()
    {
        using TestNamespace host = new();
        using CommandLine program = new();
        File.SetUnixFileMode(program.Folder, UnixFileMode.StickyBit | (UnixFileMode)0b111_111_111);
        using EchoServer? echo = EchoServer.Start(host, FlowProtocol.Udp, s_server.Address, s_server.Port);
        using Tool tool = program.Start(host, "--accounting");
        WaitUntilItCaptures(tool);
        TestClient.Exchange(host, FlowProtocol.Udp, s_client, s_server);
        Tool.Run("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "touch", program.Log);

        ToolResult result = tool.End("TERM");

        string kept = Assert.Single(Directory.GetFileSystemEntries(program.Folder), path => path != program.Log);
        Assert.Equal(1, result.ExitCode);
        Assert.Matches($@"(?m)^conntracker: .*{program.Log}.*65534.*{kept}", result.Error);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(kept));
        Assert.Contains("src = 127.0.0.1 (port=40001) to dst = 127.0.0.1 (port=5000)", File.ReadAllText(kept), StringComparison.Ordinal);
        Assert.Equal("", program.Read());
    }

    [Fact]
    public void A_log_whose_folder_is_removed_while_it_captures_goes_where_temporary_files_are()
    {
        using TestNamespace host = new();
        using CommandLine program = new();
        string folder = Directory.CreateDirectory(program.PathOf("logs")).FullName;
        string temporary = Directory.CreateDirectory(program.PathOf("tmp")).FullName;
        using Tool tool = Tool.Start("env", $"TMPDIR={temporary}", CommandLine.Program,
            "--netns", host.Name, "-o", Path.Join(folder, "flows.log"), "--duration", "60");
        WaitUntilItCaptures(tool);
        Directory.Delete(folder);

        ToolResult result = tool.End("TERM");

        Assert.Equal(1, result.ExitCode);
        string kept = Assert.Single(Directory.GetFileSystemEntries(temporary));
        Assert.Contains(kept, result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void A_capture_that_is_killed_leaves_no_file_behind()
    {
        using TestNamespace host = new();
        using CommandLine program = new();
        using Tool tool = program.Start(host);
        WaitUntilItCaptures(tool);

        tool.End("KILL");

        Assert.Empty(Directory.GetFileSystemEntries(program.Folder));
    }

    [Fact]
    public void It_says_on_standard_error_what_it_captures_how_to_end_it_and_where_the_log_is()
    {
        using TestNamespace host = new();
        using CommandLine program = new();
        using Tool tool = program.Start(host);
        WaitUntilItCaptures(tool);
        string begun = Assert.Single(tool.Error.Split('\n'), line => line.Contains("capturing", StringComparison.Ordinal));
        Assert.Contains($"'{host.Name}'", begun, StringComparison.Ordinal);
        Assert.Contains("Ctrl+C", begun, StringComparison.Ordinal);
        Assert.Contains(program.Log, begun, StringComparison.Ordinal);
        TestClient.Send(host, FlowProtocol.Udp, s_client, s_server);

        ToolResult result = tool.End("TERM");

        Assert.Equal("", result.Output);
        Assert.EndsWith($"\nconntracker: wrote the log of 1 flow to '{program.Log}'.\n", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void A_script_that_asks_for_quiet_gets_notes_and_errors_only()
    {
        using TestNamespace host = new();
        using CommandLine program = new();
        using Tool tool = program.Start(host, "--quiet");
        program.WriteLog(tool);

        ToolResult result = tool.End("TERM");

        Assert.Equal((0, ""), (result.ExitCode, result.Output));
        Assert.All(result.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries), line =>
            Assert.StartsWith("conntracker: note:", line, StringComparison.Ordinal));
    }

    private static string CaptureOneFlow(TestNamespace host, CommandLine program, params IEnumerable<string> arguments)
    {
        using EchoServer? echo = EchoServer.Start(host, FlowProtocol.Udp, s_server.Address, s_server.Port);
        using Tool tool = program.Start(host, arguments);
        TestClient.Exchange(host, FlowProtocol.Udp, s_client, s_server);
        Eventually.True("the flow in the log", () => program.WriteLog(tool).Contains("5000", StringComparison.Ordinal));
        ToolResult result = tool.End("TERM");
        Assert.True(result.ExitCode == 0, result.Error);
        return program.Read();
    }

    private static void WaitUntilItCaptures(Tool tool) =>
        Eventually.True("a line that says that it captures", () => tool.Error.Contains("conntracker: capturing", StringComparison.Ordinal));

    // Nothing was captured: a recording would be there from the first message on.
    private static void AssertRefused(TestNamespace host, CommandLine program, string? log = null)
    {
        string recording = program.PathOf("capture.rec");
        ToolResult result = CommandLine.Run("--netns", host.Name, "-o", log ?? program.Log, "--record", recording, "--duration", "1");

        Assert.Equal(1, result.ExitCode);
        Assert.Contains(log ?? program.Log, Assert.Single(result.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries)), StringComparison.Ordinal);
        Assert.False(File.Exists(recording));
    }

    private static string? Text(JsonElement flow, string name) => flow.GetProperty(name).GetString();

    private static int Number(JsonElement flow, string name) => flow.GetProperty(name).GetInt32();
}
