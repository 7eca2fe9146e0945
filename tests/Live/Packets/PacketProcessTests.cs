using System.Globalization;
using System.Net;
using Conntracker.Tests.Live.Support;
using Xunit;

namespace Conntracker.Tests.Live.Packets;

/// <summary>Processes beside packets, and recordings of both.</summary>
public sealed class PacketProcessTests
{
    private const int Server = 5000;

    private const string TcpServer = """
        import os, socket, sys
        listener = socket.socket(socket.AF_INET6 if ':' in sys.argv[1] else socket.AF_INET)
        listener.bind((sys.argv[1], 5000))
        listener.listen(64)
        print(os.getpid())
        while True:
            connection, peer = listener.accept()
            connection.sendall(connection.recv(64))
            connection.close()
        """;

    private const string TcpClient = """
        import os, socket, sys
        connection = socket.create_connection((sys.argv[1], 5000), 5)
        connection.sendall(b'x')
        connection.recv(64)
        print(os.getpid())
        """;

    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("::1")]
    public void Each_end_of_a_local_connection_names_its_own_process(string address)
    {
        using TestNamespace host = new();
        using LiveCapture live = ProcessCapture.Start(WithProcesses(host, null));
        using Tool server = host.StartPython(TcpServer, address);
        string client = host.Python(TcpClient, address);

        Flow flow = live.FlowTo(Server, flow => flow is { Process: not null, ReplyProcess: not null });

        Assert.Equal((client, server.Output.Trim()), ($"{flow.Process!.Id}", $"{flow.ReplyProcess!.Id}"));
    }

    [Fact]
    public void A_recording_of_packets_replays_to_the_flows_of_the_capture_that_made_it()
    {
        using TestNetwork network = new();
        using CommandLine folder = new();
        string path = folder.PathOf("capture.rec");
        IPEndPoint service = new(TestNetwork.ClientSide.Firewall(FlowFamily.IPv6), Server);
        using LiveCapture live = ProcessCapture.Start(WithProcesses(network.Firewall, path));
        using EchoServer? tcp = EchoServer.Start(network.Firewall, FlowProtocol.Tcp, service.Address, service.Port);
        using EchoServer? udp = EchoServer.Start(network.Server, FlowProtocol.Udp, TestNetwork.ServerSide.Host(FlowFamily.IPv4), Server);
        TestClient.Exchange(network.Client, FlowProtocol.Tcp, new IPEndPoint(TestNetwork.ClientSide.Host(FlowFamily.IPv6), 40001), service);
        TestClient.Exchange(network.Client, FlowProtocol.Udp, new IPEndPoint(TestNetwork.ClientSide.Host(FlowFamily.IPv4), 40002),
            new IPEndPoint(TestNetwork.ServerSide.Host(FlowFamily.IPv4), Server), 4000);
        TestClient.Exchange(network.Client, FlowProtocol.Icmp, new IPEndPoint(TestNetwork.ClientSide.Host(FlowFamily.IPv4), 40003),
            new IPEndPoint(TestNetwork.ServerSide.Host(FlowFamily.IPv4), 0));
        Eventually.True("a process in the flow of TCP", () => live.FlowFrom(40001).ReplyProcess is not null);
        live.FlowFrom(40002);
        live.Stop();

        using LiveCapture replay = LiveCapture.Start(new CaptureOptions { ReplayPath = path });

        Assert.True(replay.Capture.Wait(TimeSpan.FromSeconds(20)));
        Assert.Equal(live.Capture.GetCounters(), replay.Capture.GetCounters());
        Assert.Equal(Describe(live), Describe(replay));
        Assert.Equal(CaptureSource.Packet, replay.Capture.Source);
    }

    private static CaptureOptions WithProcesses(TestNamespace where, string? recordPath) =>
        new() { NetworkNamespace = where.Name, Source = CaptureSource.Packet, Interface = "any", ResolveProcess = true, RecordPath = recordPath };

    // Every property of every flow.
    private static string Describe(LiveCapture live) => string.Join('\n', live.Flows
        .Select(flow => string.Join(' ', typeof(Flow).GetProperties().Select(property => property.Name + "=" + Text(property.GetValue(flow)))))
        .Order(StringComparer.Ordinal));

    private static string? Text(object? value) => value is DateTimeOffset time ? time.ToString("O", CultureInfo.InvariantCulture) : value?.ToString();
}
