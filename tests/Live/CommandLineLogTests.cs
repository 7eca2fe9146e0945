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

    private static void AssertRefused(TestNamespace host, CommandLine program)
    {
        using Tool tool = program.Start(host, "--duration", "1");
        ToolResult result = tool.Wait();
        Assert.Equal(1, result.ExitCode);
        Assert.Contains(program.Log, result.Error, StringComparison.Ordinal);
    }

    private static string? Text(JsonElement flow, string name) => flow.GetProperty(name).GetString();

    private static int Number(JsonElement flow, string name) => flow.GetProperty(name).GetInt32();
}
