using System.Globalization;
using System.Net;
using Conntracker.Tests.Live.Support;
using Xunit;

namespace Conntracker.Tests.Live.Packets;

/// <summary>What the kernel dropped is told: nothing is lost in silence.</summary>
public sealed class PacketLossTests
{
    private const int Sent = 20_000;

    [Theory]
    [InlineData("lo")]
    [InlineData("any")]
    public void Packets_and_PacketsLost_together_are_what_was_sent_to_a_program_that_could_not_keep_up(string device)
    {
        using TestNamespace host = new();
        using CommandLine program = new();
        using Tool tool = program.StartPackets(host, device, "--filter", "udp dst port 5001", "--buffer-size", "4096", "--stats");
        program.WriteLog(tool);

        // A program that stands still takes nothing in: what the buffer does not hold is dropped, whatever the machine's load.
        tool.Signal("STOP");
        PacketCapture.SendDatagrams(host, new IPEndPoint(IPAddress.Loopback, 40001), new IPEndPoint(IPAddress.Loopback, 5001), Sent);
        tool.Signal("CONT");
        ToolResult result = tool.End("TERM");

        Assert.Equal(0, result.ExitCode);
        long lost = Number(result, "PacketsLost");
        Assert.InRange(lost, 1, Sent - 1);
        Assert.Equal(Sent, Number(result, "Packets") + lost);
        Assert.Contains("dropped packets", result.Error, StringComparison.Ordinal);
        Assert.Contains("(port=5001)", program.Read(), StringComparison.Ordinal);
    }

    [Fact]
    public void The_buffer_that_a_capture_has_by_default_holds_a_burst()
    {
        using TestNamespace host = new();
        using CommandLine program = new();
        using Tool tool = program.StartPackets(host, "lo", "--filter", "udp dst port 5001", "--stats");
        program.WriteLog(tool);

        tool.Signal("STOP");
        PacketCapture.SendDatagrams(host, new IPEndPoint(IPAddress.Loopback, 40001), new IPEndPoint(IPAddress.Loopback, 5001), Sent);
        tool.Signal("CONT");
        ToolResult result = tool.End("TERM");

        Assert.Equal((Sent, 0), (Number(result, "Packets"), Number(result, "PacketsLost")));
        Assert.DoesNotContain("note:", result.Error, StringComparison.Ordinal);
    }

    private static long Number(ToolResult result, string name) => long.Parse(
        result.Error.Split('\n').Single(line => line.StartsWith(name + ":", StringComparison.Ordinal))[(name.Length + 1)..].Trim(), CultureInfo.InvariantCulture);
}
