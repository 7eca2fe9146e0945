using System.Globalization;
using System.Net;
using Conntracker.Core.Addresses;
using Conntracker.Core.Captures;
using Conntracker.Core.Feeds;
using Conntracker.Core.HostAddresses;
using Conntracker.Core.Netlink;
using Conntracker.Tests.Live.Support;
using Xunit;

namespace Conntracker.Tests.Live;

/// <summary>Where flows go, told from the host's addresses and its routes to itself.</summary>
public sealed class DirectionTests
{
    private static int s_port = 40000;

    [Theory]
    [InlineData(FlowFamily.IPv4, "10.9.0.0/16", "10.9.200.7", "local")]
    [InlineData(FlowFamily.IPv4, "10.9.0.0/16", "10.9.200.7", "100")]
    [InlineData(FlowFamily.IPv6, "2001:db8:9::/48", "2001:db8:9:8::7", "local")]
    [InlineData(FlowFamily.IPv6, "2001:db8:9::/48", "2001:db8:9:8::7", "100")]
    public void A_flow_to_a_subnet_that_is_routed_to_the_firewall_itself_comes_in(FlowFamily family, string subnet, string address, string table)
    {
        using TestNetwork network = new();
        Ip(network.Firewall, $"route add local {subnet} dev lo table {table}");
        UseTable(network.Firewall, family, table);
        using LiveCapture live = LiveCapture.Start(network.Firewall);

        Assert.Equal(FlowDirection.In, DirectionOf(live, network.Client, family, address));
        Assert.Equal(FlowDirection.Forward, DirectionOf(live, network.Client, family, TestNetwork.ServerSide.Host(family).ToString()));
    }

    [Theory]
    [InlineData(FlowFamily.IPv4, "10.20.0.0/16", "10.20.1.2", "local")]
    [InlineData(FlowFamily.IPv4, "10.20.0.0/16", "10.20.1.2", "100")]
    [InlineData(FlowFamily.IPv6, "2001:db8:b::/48", "2001:db8:b::7", "local")]
    public void A_subnet_that_is_routed_to_the_firewall_while_a_capture_runs_is_its_own_from_then_on(FlowFamily family,
        string subnet, string address, string table)
    {
        using TestNetwork network = new();
        UseTable(network.Firewall, family, table);
        RouteEverything(network.Firewall, family);
        using LiveCapture live = LiveCapture.Start(network.Firewall);
        Assert.Equal(FlowDirection.Forward, DirectionOf(live, network.Client, family, address));

        Ip(network.Firewall, $"route add local {subnet} dev lo table {table}");

        Eventually.Equal(() => FlowDirection.In, () => DirectionOf(live, network.Client, family, address));
    }

    [Theory]
    [InlineData(FlowFamily.IPv4, "192.0.2.99", "192.0.2.98")]
    [InlineData(FlowFamily.IPv6, "2001:db8:1::99", "2001:db8:1::98")]
    public void An_address_that_comes_and_goes_while_a_capture_runs_keeps_the_direction_of_its_flows(FlowFamily family, string address, string later)
    {
        using TestNetwork network = new();
        using LiveCapture live = LiveCapture.Start(network.Firewall);
        Ip(network.Firewall, $"addr add {address} dev inside");
        Eventually.Equal(() => FlowDirection.In, () => DirectionOf(live, network.Client, family, address));

        // The kernel reports addresses in their order: once the later one is known, the first one is known to be gone.
        Ip(network.Firewall, $"addr del {address} dev inside");
        Ip(network.Firewall, $"addr add {later} dev inside");
        Eventually.Equal(() => FlowDirection.In, () => DirectionOf(live, network.Client, family, later));

        Assert.All(live.Flows.Where(flow => flow.DstAddress.ToString() == address), flow => Assert.Equal(FlowDirection.In, flow.Direction));
    }

    [Fact]
    public void A_broadcast_comes_in_also_to_one_that_only_a_route_tells_of()
    {
        using TestNetwork network = new();
        Ip(network.Firewall, "route add broadcast 10.99.255.255 dev inside table local");
        using LiveCapture live = LiveCapture.Start(network.Firewall);
        foreach (string address in (string[])["192.0.2.255", "10.99.255.255"])
        {
            int port = ++s_port;
            network.Client.Run("python3", "-c",
                $"import socket; s=socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.setsockopt(1, 6, 1); s.bind(('', {port})); " +
                    $"s.sendto(b'x', ('{address}', 9))");
            Assert.Equal(FlowDirection.In, Find(live, port).Direction);
        }
    }

    [Theory]
    [InlineData(FlowFamily.IPv4)]
    [InlineData(FlowFamily.IPv6)]
    public void A_transparent_proxys_local_route_for_all_makes_nothing_its_own(FlowFamily family)
    {
        using TestNetwork network = new();
        Ip(network.Firewall, $"{Option(family)} route add local default dev lo table 100");
        Ip(network.Firewall, $"{Option(family)} rule add fwmark 1 lookup 100");
        using LiveCapture live = LiveCapture.Start(network.Firewall);
        Assert.Equal(FlowDirection.Forward, DirectionOf(live, network.Client, family, TestNetwork.ServerSide.Host(family).ToString()));
        Assert.Equal(FlowDirection.In, DirectionOf(live, network.Client, family, TestNetwork.ClientSide.Firewall(family).ToString()));
    }

    [Theory]
    [InlineData(FlowFamily.IPv4, "198.51.100.0/24")]
    [InlineData(FlowFamily.IPv6, "2001:db8:2::/64")]
    public void Addresses_that_the_user_names_are_own_ones_of_that_capture(FlowFamily family, string named)
    {
        using TestNetwork network = new();
        CaptureOptions options = new() { NetworkNamespace = network.Firewall.Name, LocalAddresses = [AddressRange.Parse(named)] };
        using LiveCapture live = LiveCapture.Start(options);
        string server = TestNetwork.ServerSide.Host(family).ToString();
        Assert.Equal(FlowDirection.In, DirectionOf(live, network.Client, family, server));

        using CaptureSession unnamed = CaptureSession.ReadOnce(network.Firewall.Name, TestContext.Current.CancellationToken);
        Assert.Equal(FlowDirection.Forward, unnamed.GetFlows(FlowQuery.All).Single(flow => flow.DstAddress.ToString() == server).Direction);
    }

    [Fact]
    public void A_recording_replays_to_the_same_directions()
    {
        using TestNetwork network = new();
        using CommandLine folder = new();
        string path = folder.PathOf("directions.rec");
        Ip(network.Firewall, "route add local 10.9.0.0/16 dev lo");
        using LiveCapture live = LiveCapture.Start(new CaptureOptions { NetworkNamespace = network.Firewall.Name, RecordPath = path });
        Assert.Equal(FlowDirection.In, DirectionOf(live, network.Client, FlowFamily.IPv4, "10.9.1.1"));
        Ip(network.Firewall, "route add local 10.20.0.0/16 dev lo");
        Eventually.Equal(() => FlowDirection.In, () => DirectionOf(live, network.Client, FlowFamily.IPv4, "10.20.1.1"));
        live.Stop();

        using LiveCapture replay = LiveCapture.Start(new CaptureOptions { ReplayPath = path });
        Assert.True(replay.Capture.Wait(TimeSpan.FromSeconds(20)));
        Assert.Equal(
            live.Flows.Select(flow => (flow.SrcPort, flow.Direction)).Order(), replay.Flows.Select(flow => (flow.SrcPort, flow.Direction)).Order());
    }

    [Fact]
    public void A_router_that_learns_routes_by_the_thousand_wakes_nobody_and_ten_thousand_addresses_are_all_known()
    {
        const int Many = 10_000;
        using TestNetwork network = new();
        Batch(network.Firewall, Enumerable.Range(0, Many).Select(each => $"addr add 10.{each >> 7}.{(each & 127) * 2}.1/32 dev inside"));
        using DatagramBatch batch = NetlinkDump.NewBatch();
        using AddressSource source = network.Firewall.Do(AddressSource.Open);
        int first = Receive(source, batch);
        Assert.False(source.IsReading);
        Assert.InRange(first, 10, Many);

        Batch(network.Firewall, Enumerable.Range(0, Many).Select(each => $"route add 20.{each >> 8}.{each & 255}.0/24 via 198.51.100.2"));
        Assert.Equal(0, Receive(source, batch));
        Ip(network.Firewall, "route add local 10.200.0.0/16 dev lo");
        Assert.Equal(1, Receive(source, batch));

        // With the routes there: what is asked for at the start does not grow with them.
        using AddressSource again = network.Firewall.Do(AddressSource.Open);
        Assert.InRange(Receive(again, batch), first, first + 2);

        RouteEverything(network.Firewall, FlowFamily.IPv4);
        using LiveCapture live = LiveCapture.Start(network.Firewall);
        foreach (string address in (string[])["10.0.0.1", "10.78.30.1", "10.200.1.1"])
        {
            Assert.Equal(FlowDirection.In, DirectionOf(live, network.Client, FlowFamily.IPv4, address));
        }

        Assert.Equal(FlowDirection.Forward, DirectionOf(live, network.Client, FlowFamily.IPv4, "10.0.1.1"));
    }

    [Fact]
    public void After_an_overrun_the_addresses_are_asked_for_again()
    {
        const int More = 3000;
        using TestNetwork network = new();
        using FlowCollector collector = new(CaptureOptions.MinimumOfMaximumFlows, []);
        using AddressFeed feed = network.Firewall.Do(() => new AddressFeed(new MessageSink(collector, recording: null), new CaptureClock()));

        // More than the socket's buffer holds while nobody reads.
        Batch(network.Firewall, Enumerable.Range(0, More).Select(each => $"addr add 10.0.{each >> 8}.{each & 255}/32 dev inside"));
        for (int turn = 0; turn < More; turn++)
        {
            feed.Receive();
        }

        Assert.All(
            Enumerable.Range(0, More),
            each => Assert.True(collector.Addresses.IsOwn(FlowFamily.IPv4, AddressBits.From(IPAddress.Parse($"10.0.{each >> 8}.{each & 255}"))), $"{each}"));
    }

    // The addresses that a source has told, without waiting.
    private static int Receive(AddressSource source, DatagramBatch batch)
    {
        int total = 0;
        int received;
        while ((received = source.Receive(batch)) > 0)
        {
            total += received;
        }

        return total;
    }

    // Sends a packet from a port of its own, and says where the flow that it began goes.
    private static FlowDirection DirectionOf(LiveCapture live, TestNamespace client, FlowFamily family, string address)
    {
        int port = ++s_port;
        TestClient.Send(client, FlowProtocol.Udp, new IPEndPoint(TestNetwork.ClientSide.Host(family), port), new IPEndPoint(IPAddress.Parse(address), 9));
        return Find(live, port).Direction;
    }

    private static Flow Find(LiveCapture live, int port) =>
        Eventually.Find($"the flow from port {port}", () => live.Flows.SingleOrDefault(flow => flow.Protocol == FlowProtocol.Udp && flow.SrcPort == port));

    private static string Option(FlowFamily family) => family == FlowFamily.IPv4 ? "-4" : "-6";

    // A packet that no route takes is dropped, and never seen.
    private static void RouteEverything(TestNamespace where, FlowFamily family) =>
        Ip(where, $"{Option(family)} route add default via {TestNetwork.ServerSide.Host(family)}");

    // A rule is what has the kernel look into another table at all.
    private static void UseTable(TestNamespace where, FlowFamily family, string table)
    {
        if (table != "local")
        {
            Ip(where, string.Create(CultureInfo.InvariantCulture, $"{Option(family)} rule add lookup {table}"));
        }
    }

    private static void Ip(TestNamespace where, string arguments) => Tool.Run("ip", ["-n", where.Name, .. arguments.Split(' ')]);

    private static void Batch(TestNamespace where, IEnumerable<string> commands)
    {
        using Tool ip = Tool.Start("ip", "-n", where.Name, "-batch", "-").Feed(string.Join('\n', commands) + "\n");
        ToolResult result = ip.Wait();
        Assert.True(result.ExitCode == 0, result.Error);
    }
}
