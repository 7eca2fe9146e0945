using System.Net;
using Conntracker.Tests.Live.Support;
using Xunit;

namespace Conntracker.Tests.Live.Packets;

/// <summary>A capture from packets changes nothing of the host, but promiscuous mode while it runs.</summary>
public sealed class PacketUntouchedTests
{
    private static readonly string[] s_settings = ["netfilter", "ipv4/conf", "ipv6/conf", "core", "bridge"];

    [Theory]
    [InlineData("inside")]
    [InlineData("any")]
    public void No_rule_no_setting_and_no_connection_tracking_comes_with_it(string device)
    {
        using TestNetwork network = new();
        TestNamespace host = network.Firewall;
        string before = StateOf(host);
        using LiveCapture live = PacketCapture.Start(host, device);
        using EchoServer? server = EchoServer.Start(network.Server, FlowProtocol.Udp, TestNetwork.ServerSide.Host(FlowFamily.IPv4), 5000);
        TestClient.Exchange(
            network.Client, FlowProtocol.Udp, new IPEndPoint(TestNetwork.ClientSide.Host(FlowFamily.IPv4), 40001),
            new IPEndPoint(TestNetwork.ServerSide.Host(FlowFamily.IPv4), 5000));
        live.FlowTo(5000);

        string meanwhile = StateOf(host);
        live.Stop();

        Assert.Equal(before, meanwhile);
        Assert.Equal(before, StateOf(host));
        Assert.Equal("0", host.ReadSetting("netfilter/nf_conntrack_count"));
    }

    [Fact]
    public void Promiscuous_mode_lasts_as_long_as_the_capture_of_the_interface()
    {
        using TestNetwork network = new();
        Assert.Equal(0, PacketCapture.Promiscuity(network.Firewall, "inside"));
        using LiveCapture any = PacketCapture.Start(network.Firewall, "any");
        Assert.Equal(0, PacketCapture.Promiscuity(network.Firewall, "inside"));
        using LiveCapture live = PacketCapture.Start(network.Firewall, "inside");
        Assert.Equal((1, 0), (PacketCapture.Promiscuity(network.Firewall, "inside"), PacketCapture.Promiscuity(network.Firewall, "outside")));

        live.Stop();

        Assert.Equal(0, PacketCapture.Promiscuity(network.Firewall, "inside"));
    }

    [Fact]
    public void Kill_minus_9_leaves_no_promiscuous_mode_and_no_socket_behind()
    {
        using TestNetwork network = new();
        using CommandLine program = new();
        using Tool killed = program.StartPackets(network.Firewall, "-i", "inside");
        Eventually.Equal(() => 1, () => PacketCapture.Promiscuity(network.Firewall, "inside"));

        killed.End("KILL");

        Eventually.Equal(() => (0, 0), () => (PacketCapture.Promiscuity(network.Firewall, "inside"), PacketCapture.CountSockets(network.Firewall)));
    }

    [Fact]
    public void A_start_that_fails_leaves_nothing_behind()
    {
        using TestNetwork network = new();
        Assert.Throws<ConntrackException>(() => PacketCapture.Start(network.Firewall, "inside", "no such filter"));
        Assert.Equal((0, 0), (PacketCapture.Promiscuity(network.Firewall, "inside"), PacketCapture.CountSockets(network.Firewall)));
    }

    // Rules of both kinds, and every setting that has a value one can read.
    private static string StateOf(TestNamespace host) => host.Run("nft", "list", "ruleset") + host.Do(() =>
    {
        IEnumerable<string> names = s_settings.Select(folder => $"/proc/sys/net/{folder}").Where(Directory.Exists)
            .SelectMany(folder => Directory.GetFiles(folder, "*", SearchOption.AllDirectories))
            .Where(path => !path.Contains("/stable_secret", StringComparison.Ordinal))
            .Concat(new[] { "ip", "ip6" }.Select(family => $"/proc/thread-self/net/{family}_tables_names").Where(File.Exists))
            .Order(StringComparer.Ordinal);
        return string.Join('\n', names.Select(path => $"{path}={Read(path)}"));
    });

    private static string Read(string path)
    {
        try
        {
            return File.ReadAllText(path);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            // Some can only be written.
            return "";
        }
    }
}
