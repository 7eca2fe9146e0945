using System.Diagnostics;
using System.Net;
using Conntracker.Tests.Live.Support;
using Xunit;

namespace Conntracker.Tests.Live.Packets;

/// <summary>How the program lives and ends when packets are its source.</summary>
public sealed class PacketSignalTests
{
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
        using Tool tool = program.StartPackets(host, "-i", "lo", "--quiet");

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
        using Tool tool = program.StartPackets(host, "-i", "lo", "--duration", "3", "--quiet");
        long started = Stopwatch.GetTimestamp();
        TestClient.Send(host, FlowProtocol.Udp, s_client, s_server);

        ToolResult result = tool.Wait();

        Assert.Equal((0, ""), (result.ExitCode, result.Error));
        Assert.InRange(Stopwatch.GetElapsedTime(started).TotalSeconds, 0.2, 10);
        Assert.Contains(Line(s_client), program.Read(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("INT")]
    [InlineData("TERM")]
    public void While_a_file_without_an_end_is_read_SIGUSR1_writes_the_log_and_a_signal_ends_it_with_exit_code_0(string signal)
    {
        TestNamespace.NeedRoot();
        using CommandLine program = new();
        string path = program.PathOf("endless.pcap");
        PcapFile.WriteEndless(path, s_client, s_server);
        using Tool tool = program.StartPlain("--pcap", path, "-o", program.Log, "--quiet");
        WaitUntilItReads(tool, path);

        program.WaitForFlow(tool, s_client);
        Assert.True(tool.IsRunning);
        File.Delete(program.Log);
        ToolResult result = tool.End(signal);

        Assert.Equal((0, ""), (result.ExitCode, result.Output));
        Assert.Contains(NotToTheEnd, Assert.Single(result.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries)), StringComparison.Ordinal);
        Assert.Contains(Line(s_client), program.Read(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_signal_ends_the_reading_of_a_file_at_once_although_nothing_in_it_passes_the_filter()
    {
        TestNamespace.NeedRoot();
        using CommandLine program = new();
        string path = program.PathOf("endless.pcap");
        PcapFile.WriteEndless(path, s_client, s_server);
        using Tool tool = program.StartPlain("--pcap", path, "-o", program.Log, "--filter", "tcp", "--quiet");
        WaitUntilItReads(tool, path);
        Thread.Sleep(200);

        ToolResult result = tool.End("TERM");

        Assert.Equal(0, result.ExitCode);
        Assert.Contains(NotToTheEnd, result.Error, StringComparison.Ordinal);
        Assert.True(File.Exists(program.Log));
    }

    [Fact]
    public void A_file_is_read_to_its_end_and_the_program_ends_with_its_log()
    {
        TestNamespace.NeedRoot();
        using CommandLine program = new();
        string path = program.PathOf("small.pcap");
        PcapFile.Write(path, s_client, s_server);

        ToolResult result = CommandLine.Run("--pcap", path, "-o", program.Log, "--stats");

        Assert.Equal(0, result.ExitCode);
        Assert.DoesNotContain("note:", result.Error, StringComparison.Ordinal);
        Assert.Matches(@"(?m)^Packets: +1$", result.Error);
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
