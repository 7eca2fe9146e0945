using System.Globalization;
using Conntracker.Tests.Live.Support;
using Xunit;

namespace Conntracker.Tests.Live;

/// <summary>Processes that are gone before anybody could look for them.</summary>
public sealed class FleetingProcessTests
{
    private const int Clients = 200;
    private const double Least = 0.99;
    private const int Port = 5000;

    // A processor that is taken away from a virtual machine is away for longer than a client lives: not every round can be won.
    private const int Rounds = 3;

    [Fact]
    public void Clients_that_live_a_few_milliseconds_are_named_with_their_command_lines()
    {
        using TestNamespace host = new();
        using EchoServer? server = EchoServer.Start(host, FlowProtocol.Tcp, System.Net.IPAddress.Loopback, Port);
        List<string> lost = [];
        for (int round = 0; round < Rounds && lost.Count == round; round++)
        {
            lost.AddRange(Run(host));
        }

        Assert.True(lost.Count < Rounds, string.Join('\n', lost));
    }

    // Who a client is, the kernel itself notes: that may not depend on how busy the machine is. Its command line is read while it lives.
    private static IReadOnlyList<string> Run(TestNamespace host)
    {
        using LiveCapture live = ProcessCapture.Start(host);

        // Each client prints its own process id, by being waited for.
        string script = string.Create(
            CultureInfo.InvariantCulture,
            $"for i in $(seq {Clients}); do bash -c 'exec 3<>/dev/tcp/127.0.0.1/{Port}; echo x >&3' client-$i & echo $! client-$i; wait $!; done");
        long started = Environment.TickCount64;
        string[] told = host.Run("bash", "-c", script).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        double each = (Environment.TickCount64 - started) / (double)Clients;

        Assert.Equal(Clients, told.Length);
        Dictionary<int, string> expected = told.Select(line => line.Split(' '))
            .ToDictionary(each => int.Parse(each[0], CultureInfo.InvariantCulture), each => each[1]);
        Eventually.True("all flows", () =>
            live.Flows.Count(flow => flow.Process is FlowProcess process && expected.ContainsKey(process.Id)) >= Clients * Least);
        live.Stop();
        Flow[] flows = [.. live.Flows.Where(flow => flow.Process is FlowProcess process && expected.ContainsKey(process.Id))];
        Flow[] others = [.. flows.Where(flow => flow.Process!.CommandLine?.EndsWith($" {expected[flow.Process.Id]}", StringComparison.Ordinal) != true)];
        Assert.Equal(0, live.Capture.GetCounters().ProcessesLost);
        return flows.Length - others.Length >= Clients * Least ? [] :
        [
            $"{flows.Length - others.Length} of {Clients} clients, which lived {each:F1} ms each, have their command lines. Not:\n"
                + string.Join('\n', others.Select(flow => $"{flow} {flow.Process} {flow.Process?.CommandLine}")),
        ];
    }
}
