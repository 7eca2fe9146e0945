using System.Globalization;
using Conntracker.Tests.Live.Support;
using Xunit;

namespace Conntracker.Tests.Live;

/// <summary>Processes that are gone before anybody could look for them.</summary>
public sealed class FleetingProcessTests
{
    private const int Clients = 200;
    private const int Port = 5000;

    [Fact]
    public void Clients_that_live_a_few_milliseconds_are_named_with_their_command_lines()
    {
        using TestNamespace host = new();
        using LiveCapture live = ProcessCapture.Start(host);
        using EchoServer? server = EchoServer.Start(host, FlowProtocol.Tcp, System.Net.IPAddress.Loopback, Port);

        // Each client prints its own process id, by being waited for.
        string script = string.Create(
            CultureInfo.InvariantCulture,
            $"for i in $(seq {Clients}); do bash -c 'exec 3<>/dev/tcp/127.0.0.1/{Port}; echo x >&3' client-$i & echo $! client-$i; wait $!; done");
        long started = Environment.TickCount64;
        string[] told = host.Run("bash", "-c", script).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        double each = (Environment.TickCount64 - started) / (double)Clients;

        Assert.Equal(Clients, told.Length);
        Eventually.True("all flows", () => live.Flows.Count(flow => flow.DstPort == Port) == Clients);
        live.Stop();
        Dictionary<int, string> expected = told.Select(line => line.Split(' ')).ToDictionary(each => int.Parse(each[0], CultureInfo.InvariantCulture), each => each[1]);
        int right = live.Flows.Count(flow =>
            flow.Process is FlowProcess process
            && expected.TryGetValue(process.Id, out string? client)
            && process.CommandLine?.EndsWith($" {client}", StringComparison.Ordinal) == true);
        string others = string.Join('\n', live.Flows.Where(flow => flow.Process?.CommandLine?.Contains(" client-", StringComparison.Ordinal) != true).Select(flow => $"{flow} {flow.Process} {flow.Process?.CommandLine}"));
        Assert.True(right >= Clients * 0.99, $"{right} of {Clients} clients, which lived {each:F1} ms each, were named. Not:\n{others}");
        Assert.Equal(0, live.Capture.GetReceipt().ProcessesLost);
    }
}
