using System.Net;
using Conntracker.Tests.Live.Support;
using Xunit;

namespace Conntracker.Tests.Live.Packets;

/// <summary>Packets as a source of the program: of an interface, and of a capture file.</summary>
public sealed class PacketCommandLineTests
{
    private static readonly IPEndPoint s_client = new(IPAddress.Loopback, 40001);
    private static readonly IPEndPoint s_server = new(IPAddress.Loopback, 5000);

    private static string OfficePcap => Path.Join(CommandLine.Root(), "tests", "Shared", "Fixtures", "office.pcap");

    [Theory]
    [InlineData("-i", "lo")]
    [InlineData("--interface", "any")]
    public void Packets_of_an_interface_make_the_log_and_no_connection_tracking_is_switched_on(params string[] arguments)
    {
        using TestNamespace host = new();
        using CommandLine program = new();
        using EchoServer? echo = EchoServer.Start(host, FlowProtocol.Udp, s_server.Address, s_server.Port);
        using Tool tool = program.StartPackets(host, ["--stats", .. arguments]);

        TestClient.Exchange(host, FlowProtocol.Udp, s_client, s_server);
        string log = program.WaitForFlow(tool, s_client);
        Assert.Equal("", host.Run("nft", "list", "ruleset"));
        ToolResult result = tool.End("TERM");

        Assert.Equal((0, ""), (result.ExitCode, result.Output));
        Assert.Contains("src = 127.0.0.1 (port=40001) to dst = 127.0.0.1 (port=5000) (-)\n", log, StringComparison.Ordinal);
        Assert.Matches(@"(?m)^Events: +0$", result.Error);
        Assert.Matches(@"(?m)^Packets: +[1-9]\d*$", result.Error);
        Assert.Matches(@"(?m)^PacketsLost: +0$", result.Error);
    }

    [Fact]
    public void Packets_that_the_filter_does_not_let_pass_make_no_flow()
    {
        using TestNamespace host = new();
        using CommandLine program = new();
        using EchoServer? echo = EchoServer.Start(host, FlowProtocol.Udp, s_server.Address, s_server.Port);
        using Tool tool = program.StartPackets(host, "-i", "lo", "--filter", "udp port 40001", "--stats");

        TestClient.Exchange(host, FlowProtocol.Udp, new IPEndPoint(IPAddress.Loopback, 40002), s_server);
        TestClient.Exchange(host, FlowProtocol.Udp, s_client, s_server);
        string log = program.WaitForFlow(tool, s_client);
        ToolResult result = tool.End("INT");

        Assert.DoesNotContain("40002", log, StringComparison.Ordinal);
        Assert.Equal(0, result.ExitCode);
        Assert.Matches(@"(?m)^Packets: +2$", result.Error);
    }

    [Fact]
    public void A_capture_file_becomes_a_log_without_any_privilege()
    {
        TestNamespace.NeedRoot();

        ToolResult result = Tool.Try(
            "setpriv", "--bounding-set=-all", "--inh-caps=-all", CommandLine.Program, "--pcap", OfficePcap, "--local", "192.0.2.10", "-o", "-", "--stats");

        Assert.True(result.ExitCode == 0, result.Error);
        Assert.Contains("src = 192.0.2.10 (port=41053) to dst = 198.51.100.53 (port=53) (-)\n", result.Output, StringComparison.Ordinal);
        Assert.Contains("src = 10.1.0.2 (port=40002) to dst = 198.51.100.2 (port=80) (-)\n", result.Output, StringComparison.Ordinal);
        Assert.Matches(@"(?m)^Flows: +7$", result.Error);
        Assert.Matches(@"(?m)^Packets: +26$", result.Error);
        Assert.Matches(@"(?m)^PacketsSkipped: +1$", result.Error);
    }

    [Fact]
    public void Addresses_that_are_told_and_ports_of_own_services_decide_over_the_direction()
    {
        TestNamespace.NeedRoot();

        string[] lines = CommandLine.Run(
            "--pcap", OfficePcap, "--local", "192.0.2.10", "--local", "2001:db8:2::/48", "--incoming-udp", "1194", "--incoming-udp", "9999",
            "--filter", "udp port 9999 or udp port 53 or vlan", "--format", "jsonlines", "-o", "-").Lines;

        Assert.Equal(3, lines.Length);
        Assert.Contains("\"Direction\":\"Out\"", Assert.Single(lines, line => line.Contains("41053", StringComparison.Ordinal)), StringComparison.Ordinal);
        Assert.Contains("\"Direction\":\"In\"", Assert.Single(lines, line => line.Contains("40004", StringComparison.Ordinal)), StringComparison.Ordinal);
        string service = Assert.Single(lines, line => line.Contains("9999", StringComparison.Ordinal));
        Assert.Contains("\"Direction\":\"In\"", service, StringComparison.Ordinal);
        Assert.Contains("\"DstPort\":9999", service, StringComparison.Ordinal);
    }

    [Fact]
    public void What_goes_with_packets_stands_in_the_help()
    {
        TestNamespace.NeedRoot();

        string help = CommandLine.Run("--help").Output;

        Assert.All(["-i, --interface <IF>", "--filter <EXPR>", "--pcap <FILE>", "--incoming-udp <PORT>", "--local <ADDRESS|SUBNET>"],
            each => Assert.Contains(each, help, StringComparison.Ordinal));
    }
}
