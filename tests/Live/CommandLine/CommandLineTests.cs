using System.Net;
using Conntracker.Tests.Live.Support;
using Xunit;

namespace Conntracker.Tests.Live;

/// <summary>How the program lives and ends: signals, durations, exit codes.</summary>
public sealed class CommandLineTests
{
    private static readonly IPEndPoint s_first = new(IPAddress.Loopback, 40001);
    private static readonly IPEndPoint s_second = new(IPAddress.Loopback, 40002);
    private static readonly IPEndPoint s_server = new(IPAddress.Loopback, 5000);

    [Fact]
    public void SIGUSR1_writes_the_log_so_far_and_the_capture_goes_on()
    {
        using TestNamespace host = new();
        using CommandLine program = new();
        using EchoServer? echo = EchoServer.Start(host, FlowProtocol.Udp, s_server.Address, s_server.Port);
        using Tool tool = program.Start(host);

        TestClient.Exchange(host, FlowProtocol.Udp, s_first, s_server);
        string soFar = program.WaitForFlow(tool, s_first);
        Assert.DoesNotContain(Line(s_second), soFar, StringComparison.Ordinal);
        TestClient.Exchange(host, FlowProtocol.Udp, s_second, s_server);
        Assert.Contains(Line(s_first), program.WaitForFlow(tool, s_second), StringComparison.Ordinal);

        Assert.True(tool.IsRunning);
        ToolResult result = tool.End("TERM");
        Assert.Equal((0, ""), (result.ExitCode, result.Output));
        Assert.Contains(Line(s_second), program.Read(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("TERM")]
    [InlineData("INT")]
    [InlineData("HUP")]
    public void A_signal_to_end_gives_the_log_of_all_flows_and_exit_code_0(string signal)
    {
        using TestNamespace host = new();
        using CommandLine program = new();
        using EchoServer? echo = EchoServer.Start(host, FlowProtocol.Udp, s_server.Address, s_server.Port);
        using Tool tool = program.Start(host, "-f", "--accounting");
        program.WriteLog(tool);
        TestClient.Exchange(host, FlowProtocol.Udp, s_first, s_server);
        TestClient.Exchange(host, FlowProtocol.Udp, s_second, s_server);

        ToolResult result = tool.End(signal);

        Assert.True(result.ExitCode == 0, result.Error);
        Assert.Contains(Line(s_first), program.Read(), StringComparison.Ordinal);
        Assert.Contains(Line(s_second), program.Read(), StringComparison.Ordinal);
        Assert.Equal("", host.Run("nft", "list", "ruleset"));
        Assert.Equal("0", host.ReadSetting("netfilter/nf_conntrack_acct"));
        Assert.Equal([program.Log], Directory.GetFiles(program.Folder));
    }

    [Fact]
    public void A_duration_ends_it_with_a_log_and_the_receipt_on_standard_error()
    {
        using TestNamespace host = new();
        using CommandLine program = new();
        using Tool tool = program.Start(host, "--duration", "2", "--stats");
        TestClient.Exchange(host, FlowProtocol.Icmp, s_first, s_server);

        ToolResult result = tool.Wait();

        Assert.Equal((0, ""), (result.ExitCode, result.Output));
        Assert.Matches(@"(?m)^ICMPv4 \[ +\d+\] src = 127\.0\.0\.1 to dst = 127\.0\.0\.1 \(type=8 \| code=0\)$", program.Read());
        Dictionary<string, long> counters = result.Error.Split('\n')
            .Select(line => line.Split(':', StringSplitOptions.TrimEntries))
            .Where(parts => parts.Length == 2 && long.TryParse(parts[1], out _))
            .ToDictionary(parts => parts[0], parts => long.Parse(parts[1], null));
        Assert.Equal(["Flows", .. typeof(CaptureCounters).GetProperties().Select(property => property.Name)], counters.Keys);
        Assert.Equal((1, 0, 0), (counters["Flows"], counters["Lost"], counters["Malformed"]));
        Assert.True(counters["Events"] > 0);
    }

    [Fact]
    public void A_flood_that_overruns_a_small_buffer_is_told_on_standard_error_and_repaired_in_the_log()
    {
        const int Count = 20_000;
        using TestNamespace host = new();
        using CommandLine program = new();
        using Tool tool = program.Start(host, "--buffer-size", "4096", "--max-flows", "30000", "--stats");
        program.WriteLog(tool);

        host.Do(() => Shared.ConntrackLoad.Create(Count, 0, TimeSpan.FromMinutes(5)));
        ToolResult result = tool.End("TERM");

        Assert.Equal(0, result.ExitCode);
        Assert.Contains("overran", result.Error, StringComparison.Ordinal);
        Assert.Matches(@"(?m)^Flows: +20000$", result.Error);

        // Both sides have spoken: each flow has two lines.
        Assert.Equal(2 * Count, File.ReadLines(program.Log).Count(line => line.Contains("src = ", StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData("--format", "xml")]
    [InlineData("--no-such-option")]
    public void What_was_asked_wrongly_is_told_with_exit_code_2(params string[] arguments)
    {
        // Each combination is tested in tests/Cli; here the built program is.
        ToolResult result = CommandLine.Run(arguments);

        Assert.Equal((2, ""), (result.ExitCode, result.Output));
        Assert.Contains(arguments[0], result.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true, "-t")]
    [InlineData(true, "--trace", "--trace-duration", "1")]
    [InlineData(true, "-t", "-e")]
    [InlineData(false)]
    [InlineData(false, "-c")]
    [InlineData(false, "-c", "-t", "-e")]
    public void Rules_that_flows_passed_stand_in_the_log_and_the_receipt_counts_them(bool isTraced, params string[] arguments)
    {
        using TestNamespace host = new();
        host.Run("nft", "table inet guard { chain output { type filter hook output priority 0; policy accept; udp dport 5001 drop; }; }");
        using CommandLine program = new();
        using EchoServer? echo = EchoServer.Start(host, FlowProtocol.Udp, s_server.Address, s_server.Port);
        using Tool tool = program.Start(host, ["--stats", .. arguments]);
        program.WriteLog(tool);

        TestClient.Exchange(host, FlowProtocol.Udp, s_first, s_server);
        host.Do(() =>
        {
            using System.Net.Sockets.UdpClient client = new(s_second);
            Assert.Throws<System.Net.Sockets.SocketException>(() => client.Send([1], new IPEndPoint(IPAddress.Loopback, 5001)));
        });
        ToolResult result = tool.End("TERM");

        Assert.True(result.ExitCode == 0, result.Error);
        string log = program.Read();
        Assert.Contains(Line(s_first), log, StringComparison.Ordinal);
        Assert.Equal(isTraced, log.Contains("\t\t\t\ttable: inet guard, chain: output, type: policy\n", StringComparison.Ordinal));
        Assert.Equal(isTraced, log.Contains(Line(s_second), StringComparison.Ordinal));
        Assert.Equal(isTraced, log.Contains("\t\t\t\ttable: inet guard, chain: output, type: rule, position: 1\n", StringComparison.Ordinal));
        Assert.Matches(isTraced ? @"(?m)^NftablesTraces: +[1-9]\d*$" : @"(?m)^NftablesTraces: +0$", result.Error);
        Assert.Matches(@"(?m)^NftablesTracesLost: +0$", result.Error);
    }

    [Theory]
    [InlineData("--netns", "conntracker-test-missing")]
    [InlineData("--replay", "/nowhere/capture.rec")]
    [InlineData("--interface", "ct-missing")]
    [InlineData("--pcap", "/nowhere/monday.pcap")]
    [InlineData("--filter", "tcp prot 443", "-i", "lo")]
    public void What_could_not_be_done_is_told_in_one_line_with_exit_code_1(params string[] arguments)
    {
        TestNamespace.NeedRoot();

        ToolResult result = CommandLine.Run([.. arguments, "-o", "-"]);

        Assert.Equal((1, ""), (result.ExitCode, result.Output));
        Assert.Contains(arguments[1], Assert.Single(result.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries)), StringComparison.Ordinal);
    }

    private static string Line(IPEndPoint source) => $"src = {source.Address} (port={source.Port})";
}
