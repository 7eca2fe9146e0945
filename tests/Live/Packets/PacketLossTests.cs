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
    [InlineData("eth0")]
    [InlineData("any")]
    [InlineData("lo")]
    public void Packets_and_PacketsLost_together_are_what_was_sent_to_a_program_that_could_not_keep_up(string device)
    {
        ToolResult result = Burst(device, out string log, "--buffer-size", "4096");

        long lost = Number(result, "PacketsLost");
        Assert.InRange(lost, 1, Sent - 1);
        Assert.Equal(Sent, Number(result, "Packets") + lost);
        Assert.Contains("dropped packets", result.Error, StringComparison.Ordinal);
        Assert.Contains("(port=5001)", log, StringComparison.Ordinal);
    }

    [Fact]
    public void The_buffer_that_a_capture_has_by_default_holds_a_burst()
    {
        ToolResult result = Burst("eth0", out _);

        Assert.Equal((Sent, 0), (Number(result, "Packets"), Number(result, "PacketsLost")));
        Assert.DoesNotContain("note:", result.Error, StringComparison.Ordinal);
    }

    // A program that stands still takes nothing in: what the buffer does not hold is dropped, whatever the machine's load.
    private static ToolResult Burst(string device, out string log, params string[] arguments)
    {
        using TestNetwork network = new();
        using CommandLine program = new();
        IPEndPoint source = new(TestNetwork.ClientSide.Host(FlowFamily.IPv4), 40001);
        IPEndPoint target = new(device == "lo" ? source.Address : TestNetwork.ClientSide.Firewall(FlowFamily.IPv4), 5001);

        // Before the neighbour is known, packets wait for it, and not all are kept.
        TestClient.Exchange(network.Client, FlowProtocol.Icmp, source, target);
        using Tool tool = program.StartPackets(network.Client, ["-i", device, "--filter", "udp dst port 5001", "--stats", .. arguments]);

        tool.Signal("STOP");
        PacketCapture.SendDatagrams(network.Client, source, target, Sent);
        tool.Signal("CONT");
        ToolResult result = tool.End("TERM");

        Assert.Equal(0, result.ExitCode);
        log = program.Read();
        return result;
    }

    private static long Number(ToolResult result, string name) => long.Parse(
        result.Error.Split('\n').Single(line => line.StartsWith(name + ":", StringComparison.Ordinal))[(name.Length + 1)..].Trim(),
        CultureInfo.InvariantCulture);
}
