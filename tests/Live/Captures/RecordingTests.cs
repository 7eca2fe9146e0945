using System.Globalization;
using System.Net;
using Conntracker.Tests.Live.Support;
using Conntracker.Tests.Shared;
using Xunit;

namespace Conntracker.Tests.Live;

public sealed class RecordingTests
{
    private const int ServerPort = 5000;

    [Fact]
    public void A_recording_replays_to_the_flows_of_the_capture_that_made_it()
    {
        using TestNetwork network = new();
        using RecordingFile file = new();
        using LiveCapture live = LiveCapture.Start(new CaptureOptions { NetworkNamespace = network.Firewall.Name, Accounting = true, RecordPath = file.Path });

        Speak(network, FlowProtocol.Tcp, FlowFamily.IPv4);
        Speak(network, FlowProtocol.Udp, FlowFamily.IPv6);
        Speak(network, FlowProtocol.Icmp, FlowFamily.IPv4);
        network.Firewall.Run("conntrack", "-D", "-p", "tcp");
        Eventually.True("three flows, one of them closed", () => live.Flows.Count == 3 && live.Flows.Any(flow => flow.State == FlowState.Closed));
        live.Stop();

        AssertReplaysEqual(live, file);
    }

    [Fact]
    public void A_recording_of_an_overrun_replays_to_the_same_flows_and_the_same_receipt()
    {
        using TestNamespace host = new();
        using RecordingFile file = new();
        using LiveCapture live = LiveCapture.Start(
            new CaptureOptions { NetworkNamespace = host.Name, BufferSize = CaptureOptions.MinimumBufferSize, MaximumFlows = 4096, RecordPath = file.Path });

        host.Do(() => ConntrackLoad.Create(20_000, 0, TimeSpan.FromMinutes(5)));
        live.Stop();

        Assert.True(live.Capture.Overruns > 0);
        AssertReplaysEqual(live, file);
    }

    [Fact]
    public void A_recording_that_was_cut_off_by_kill_minus_9_replays_what_it_holds()
    {
        using TestNamespace host = new();
        using CommandLine program = new();
        string path = program.PathOf("capture.rec");
        using Tool killed = program.Start(host, "--record", path);
        host.Do(() => ConntrackLoad.Create(20_000, 0, TimeSpan.FromMinutes(5)));
        Eventually.True("a part of the recording", () => new FileInfo(path).Length > 1_000_000);
        killed.End("KILL");

        using LiveCapture replay = LiveCapture.Start(new CaptureOptions { ReplayPath = path });

        Assert.True(replay.Capture.Wait(TimeSpan.FromSeconds(20)));
        Assert.Equal((CaptureState.Stopped, null), (replay.Capture.State, replay.Capture.Error));
        Assert.InRange(replay.Capture.FlowCount, 1000, 20_000);
        Assert.Contains(replay.Capture.Notices, notice => notice.Contains("killed", StringComparison.Ordinal));
    }

    private static void AssertReplaysEqual(LiveCapture live, RecordingFile file)
    {
        using LiveCapture replay = LiveCapture.Start(new CaptureOptions { ReplayPath = file.Path, MaximumFlows = live.Capture.Options.MaximumFlows });
        Assert.True(replay.Capture.Wait(TimeSpan.FromSeconds(20)));
        Assert.Null(replay.Capture.Error);
        Assert.Equal(live.Capture.GetCounters(), replay.Capture.GetCounters());
        Assert.Equal(Describe(live), Describe(replay));
    }

    // Every property of every flow.
    private static string Describe(LiveCapture live) => string.Join('\n', live.Flows
        .Select(flow => string.Join(' ', typeof(Flow).GetProperties().Select(property => property.Name + "=" + Text(property.GetValue(flow)))))
        .Order(StringComparer.Ordinal));

    private static string? Text(object? value) => value is DateTimeOffset time ? time.ToString("O", CultureInfo.InvariantCulture) : value?.ToString();

    private static void Speak(TestNetwork network, FlowProtocol protocol, FlowFamily family)
    {
        IPAddress server = TestNetwork.ServerSide.Host(family);
        using EchoServer? echo = EchoServer.Start(network.Server, protocol, server, ServerPort);
        TestClient.Exchange(network.Client, protocol, new IPEndPoint(TestNetwork.ClientSide.Host(family), 40001), new IPEndPoint(server, ServerPort));
    }

    private sealed class RecordingFile : IDisposable
    {
        private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("conntracker-test-");

        public string Path => System.IO.Path.Join(_folder.FullName, "capture.rec");

        public void Dispose() => _folder.Delete(recursive: true);
    }
}
