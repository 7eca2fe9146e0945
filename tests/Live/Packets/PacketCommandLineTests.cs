using System.Diagnostics;
using System.Net;
using Conntracker.Tests.Live.Support;
using Xunit;

namespace Conntracker.Tests.Live.Packets;

/// <summary>How the program lives and ends when packets are its source.</summary>
public sealed class PacketCommandLineTests
{
    // 16 GB for who reads them all: no machine does before it is told to stop.
    private const int ManyFrames = 60_000;
    private const string NotToTheEnd = "not read to its end";

    private static readonly IPEndPoint s_client = new(IPAddress.Loopback, 40001);
    private static readonly IPEndPoint s_later = new(IPAddress.Loopback, 40002);
    private static readonly IPEndPoint s_server = new(IPAddress.Loopback, 5001);

    [Theory]
    [InlineData("INT")]
    [InlineData("TERM")]
    public void A_signal_ends_the_capture_of_an_interface_with_a_log_and_exit_code_0(string signal)
    {
        using TestNamespace host = new();
        using CommandLine program = new();
        using Tool tool = program.StartPackets(host, "lo");

        TestClient.Send(host, FlowProtocol.Udp, s_client, s_server);
        string soFar = program.WaitForFlow(tool, s_client);
        Assert.DoesNotContain(Line(s_later), soFar, StringComparison.Ordinal);
        TestClient.Send(host, FlowProtocol.Udp, s_later, s_server);
        ToolResult result = tool.End(signal);

        Assert.Equal((0, "", ""), (result.ExitCode, result.Output, result.Error));
        Assert.Contains(Line(s_client), program.Read(), StringComparison.Ordinal);
        Assert.Contains(Line(s_later), program.Read(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_duration_ends_the_capture_of_an_interface_with_a_log()
    {
        using TestNamespace host = new();
        using CommandLine program = new();
        using Tool tool = program.StartPackets(host, "lo", "--duration", "1.5");
        long started = Stopwatch.GetTimestamp();
        TestClient.Send(host, FlowProtocol.Udp, s_client, s_server);

        ToolResult result = tool.Wait();

        Assert.Equal((0, ""), (result.ExitCode, result.Error));
        Assert.InRange(Stopwatch.GetElapsedTime(started).TotalSeconds, 0.2, 10);
        Assert.Contains(Line(s_client), program.Read(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("INT", null)]
    [InlineData("TERM", "tcp")]
    public void A_signal_ends_the_reading_of_a_large_file_at_once_with_a_log_and_exit_code_0(string signal, string? filter)
    {
        TestNamespace.NeedRoot();
        using CommandLine program = new();
        string path = program.PathOf("large.pcap");
        PcapFile.Write(path, s_client, s_server, ManyFrames);
        string[] filtered = filter is null ? [] : ["--filter", filter];
        using Tool tool = program.StartPlain(["--pcap", path, "-o", program.Log, "--stats", .. filtered]);
        WaitUntilItReads(tool, path);

        ToolResult result = tool.End(signal);

        Assert.True(result.ExitCode == 0, result.Error);
        Assert.Contains(NotToTheEnd, result.Error, StringComparison.Ordinal);
        Assert.Contains(path, result.Error, StringComparison.Ordinal);
        Assert.Equal(filter is null, program.Read().Contains(Line(s_client), StringComparison.Ordinal));
    }

    [Fact]
    public void SIGUSR1_writes_the_log_so_far_while_a_large_file_is_read()
    {
        TestNamespace.NeedRoot();
        using CommandLine program = new();
        string path = program.PathOf("large.pcap");
        PcapFile.Write(path, s_client, s_server, ManyFrames);
        using Tool tool = program.StartPlain("--pcap", path, "-o", program.Log);
        WaitUntilItReads(tool, path);

        Assert.Contains(Line(s_client), program.WaitForFlow(tool, s_client), StringComparison.Ordinal);

        Assert.True(tool.IsRunning);
        ToolResult result = tool.End("TERM");
        Assert.Equal(0, result.ExitCode);
        Assert.Contains(NotToTheEnd, result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_is_read_to_its_end_and_the_program_ends_with_its_log()
    {
        using CommandLine program = new();
        string path = program.PathOf("small.pcap");
        PcapFile.Write(path, s_client, s_server, emptyFrames: 3);

        ToolResult result = CommandLine.Run("--pcap", path, "-o", program.Log, "--stats");

        Assert.Equal(0, result.ExitCode);
        Assert.DoesNotContain("note:", result.Error, StringComparison.Ordinal);
        Assert.Matches(@"(?m)^Packets: +4$", result.Error);
        Assert.Matches(@"(?m)^PacketsSkipped: +3$", result.Error);
        Assert.Contains(Line(s_client), program.Read(), StringComparison.Ordinal);
    }

    private static void WaitUntilItReads(Tool tool, string path) => Eventually.True(
        $"the program reads the file\n{tool.Error}", () => Directory.GetFiles($"/proc/{tool.Id}/fd").Any(each => TargetOf(each) == path));

    private static string? TargetOf(string link)
    {
        try
        {
            return new FileInfo(link).LinkTarget;
        }
        catch (IOException)
        {
            // It was closed meanwhile.
            return null;
        }
    }

    private static string Line(IPEndPoint source) => $"src = {source.Address} (port={source.Port})";
}
