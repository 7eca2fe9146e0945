using System.Net;
using System.Net.Sockets;
using Conntracker.Tests.Live.Support;
using Xunit;

namespace Conntracker.Tests.Live.Policies;

/// <summary>
/// A firewall between a client and a server, with real rules and real traffic, and a trial of the rules that are loaded on it. The server and the firewall
/// listen on every port of the test.
/// </summary>
internal sealed class TrialLab : IDisposable
{
    private const ushort FirstClientPort = 30_000;

    private readonly List<Socket> _listeners = [];
    private int _clientPort = FirstClientPort;

    /// <param name="ports">The ports that connections are made to, before or after NAT.</param>
    public TrialLab(params IEnumerable<ushort> ports)
    {
        foreach (ushort port in ports)
        {
            Listen(Network.Firewall, port);
            Listen(Network.Server, port);
        }
    }

    /// <summary>The three hosts.</summary>
    public TestNetwork Network { get; } = new();

    /// <summary>Asserts that each connection works in reality exactly when the trial of the loaded rules says so.</summary>
    /// <param name="targets">Where the connections go; they begin in the client's namespace, or in the firewall's.</param>
    /// <param name="seed">What is shown when it fails.</param>
    /// <returns>Which connections worked.</returns>
    public bool[] AssertSame(IReadOnlyList<(TestNamespace From, IPEndPoint To)> targets, string seed)
    {
        List<Attempt> attempts = [.. targets.Select(each => Begin(each.From, each.To))];
        try
        {
            FirewallTrialOptions options = new()
            {
                Host = FirewallHostReader.Read(Network.Firewall.Name),
                Rulesets = RulesetSource.ReadCurrent(Network.Firewall.Name),
                Program = CommandLine.Program,
            };
            using FirewallTrial trial = FirewallTrial.Start(options);
            Assert.Empty(trial.Notices);
            FlowTest[] tests = [.. trial.Test(attempts.Select(each => each.Flow))];

            AwaitEnd(attempts);
            Assert.All(attempts.Zip(tests), pair => AssertSame(pair.First, pair.Second, seed));
            return [.. attempts.Select(each => each.Socket.Connected)];
        }
        finally
        {
            attempts.ForEach(each => each.Socket.Dispose());
        }
    }

    /// <summary>Makes connections.</summary>
    /// <returns>Which of them worked.</returns>
    public bool[] Connect(IReadOnlyList<(TestNamespace From, IPEndPoint To)> targets)
    {
        List<Attempt> attempts = [.. targets.Select(each => Begin(each.From, each.To))];
        AwaitEnd(attempts);
        bool[] worked = [.. attempts.Select(each => each.Socket.Connected)];
        attempts.ForEach(each => each.Socket.Dispose());
        return worked;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _listeners.ForEach(each => each.Dispose());
        Network.Dispose();
    }

    // Answered, refused, or sent twice without an answer.
    private static void AwaitEnd(List<Attempt> attempts) =>
        Eventually.True("every connection is made, refused or repeated", () => attempts.All(each => each.IsOver));

    private static void AssertSame(Attempt attempt, FlowTest test, string seed)
    {
        bool works = test is { Verdict: FlowVerdict.Accepted, ReplyVerdict: FlowVerdict.Accepted };
        string shown = $"{seed}: {test.Flow}: in reality {(attempt.Socket.Connected ? "connected" : "not connected")}, in the trial {test.Verdict} by "
            + $"{test.Rule}, the answer {test.ReplyVerdict} by {test.ReplyRule}, translated {test.Translated}, {test.Reason}";
        Assert.True(attempt.Socket.Connected == works, shown);

        // The server sees what the trial says.
        EndPoint? seen = works && test.Translated is not null ? attempt.Socket.RemoteEndPoint : null;
        Assert.True(seen is null || seen.Equals(new IPEndPoint(test.Flow.DstAddress, test.Flow.DstPort ?? 0)), shown);
    }

    private Attempt Begin(TestNamespace from, IPEndPoint to) => from.Do(() =>
    {
        Socket socket = new(to.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { Blocking = false };
        IPAddress any = to.AddressFamily == AddressFamily.InterNetworkV6 ? IPAddress.IPv6Any : IPAddress.Any;
        socket.Bind(new IPEndPoint(any, _clientPort++));
        bool isRefused = false;
        try
        {
            socket.Connect(to);
        }
        catch (SocketException error) when (error.SocketErrorCode is SocketError.WouldBlock or SocketError.InProgress)
        {
        }
        catch (SocketException)
        {
            isRefused = true;
        }

        IPEndPoint local = (IPEndPoint)socket.LocalEndPoint!;
        Flow flow = TestFlows.Of(FlowProtocol.Tcp, local.Address.ToString(), to.Address.ToString(), (ushort)to.Port, (ushort)local.Port);
        return new Attempt(socket, isRefused, flow);
    });

    private void Listen(TestNamespace where, ushort port) => where.Do(() =>
    {
        Socket socket = new(AddressFamily.InterNetworkV6, SocketType.Stream, ProtocolType.Tcp) { DualMode = true };
        socket.Bind(new IPEndPoint(IPAddress.IPv6Any, port));
        socket.Listen(128);
        _listeners.Add(socket);
    });

    private sealed record Attempt(Socket Socket, bool IsRefused, Flow Flow)
    {
        // struct tcp_info of linux/tcp.h: tcpi_state, tcpi_ca_state, tcpi_retransmits.
        private const int TcpInfo = 11;
        private const int Retransmits = 2;

        public bool IsOver
        {
            get
            {
                if (IsRefused || Socket.Poll(0, SelectMode.SelectWrite) || Socket.Poll(0, SelectMode.SelectError))
                {
                    return true;
                }

                Span<byte> info = stackalloc byte[104];
                return Socket.GetRawSocketOption((int)ProtocolType.Tcp, TcpInfo, info) > Retransmits && info[Retransmits] > 0;
            }
        }
    }
}
