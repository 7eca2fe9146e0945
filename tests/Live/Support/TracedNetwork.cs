using System.Net;
using Xunit;

namespace Conntracker.Tests.Live.Support;

/// <summary>A client, a firewall with rules and a capture that traces them, and a server.</summary>
internal sealed class TracedNetwork : IDisposable
{
    private readonly TestNetwork _network = new();

    /// <summary>Makes it, with rules as <c>nft -f</c> reads them.</summary>
    public TracedNetwork(string rules, TraceMode mode = TraceMode.Flows, TimeSpan? duration = null, params IReadOnlyList<FlowProtocol> protocols)
        : this(firewall => firewall.LoadRules(rules), mode, duration, protocols)
    {
    }

    /// <summary>Makes it, with rules of any kind.</summary>
    public TracedNetwork(Action<TestNamespace> load, TraceMode mode = TraceMode.Flows, TimeSpan? duration = null, params IReadOnlyList<FlowProtocol> protocols)
    {
        try
        {
            load(Firewall);
            Live = LiveCapture.Start(new CaptureOptions
            {
                NetworkNamespace = Firewall.Name,
                Trace = mode,
                TraceDuration = duration ?? TimeSpan.FromSeconds(30),
                Protocols = protocols,
            });
            Assert.Empty(Live.Notices);
        }
        catch
        {
            Live?.Dispose();
            _network.Dispose();
            throw;
        }
    }

    /// <summary>Where the client is.</summary>
    public TestNamespace Client => _network.Client;

    /// <summary>Where rules and capture are.</summary>
    public TestNamespace Firewall => _network.Firewall;

    /// <summary>Where the server is.</summary>
    public TestNamespace Server => _network.Server;

    /// <summary>The capture.</summary>
    public LiveCapture Live { get; }

    /// <summary>The client's address and port.</summary>
    public static IPEndPoint ClientAt(FlowFamily family, int port) => new(TestNetwork.ClientSide.Host(family), port);

    /// <summary>The server's address and port.</summary>
    public static IPEndPoint ServerAt(FlowFamily family, int port) => new(TestNetwork.ServerSide.Host(family), port);

    /// <summary>The firewall's address that the client knows, and a port.</summary>
    public static IPEndPoint FirewallAt(FlowFamily family, int port) => new(TestNetwork.ClientSide.Firewall(family), port);

    /// <summary>The client speaks to the server, and is answered.</summary>
    public void Exchange(FlowProtocol protocol, FlowFamily family, int from, int port, int size = 32)
    {
        using EchoServer? echo = EchoServer.Start(Server, protocol, ServerAt(family, port).Address, port);
        TestClient.Exchange(Client, protocol, ClientAt(family, from), ServerAt(family, port), size);
    }

    /// <summary>The client sends one packet to the server, which nobody may answer.</summary>
    public void Send(FlowProtocol protocol, FlowFamily family, int from, int port) =>
        TestClient.Send(Client, protocol, ClientAt(family, from), ServerAt(family, port));

    /// <summary>Waits until the capture tells this of the flow that began at a port.</summary>
    public void Expect(int from, string expected, bool counts = true) => TraceText.Expect(Live, from, expected, counts);

    /// <inheritdoc/>
    public void Dispose()
    {
        Live.Dispose();
        _network.Dispose();
    }
}
