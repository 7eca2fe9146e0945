using System.Net;
using Xunit;

namespace Conntracker.Tests.Live.Support;

/// <summary>A client, a firewall that forwards, and a server: three namespaces and two cables, IPv4 and IPv6.</summary>
internal sealed class TestNetwork : IDisposable
{
    private readonly List<TestNamespace> _namespaces = [];

    /// <summary>Makes it.</summary>
    public TestNetwork()
    {
        try
        {
            Client = Add();
            Firewall = Add();
            Server = Add();
            Connect(Client, "inside", ClientSide);
            Connect(Server, "outside", ServerSide);
            Firewall.WriteSetting("ipv4/ip_forward", "1");
            Firewall.WriteSetting("ipv6/conf/all/forwarding", "1");
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>Where the client is.</summary>
    public TestNamespace Client { get; }

    /// <summary>What stands between them.</summary>
    public TestNamespace Firewall { get; }

    /// <summary>Where the server is.</summary>
    public TestNamespace Server { get; }

    /// <summary>The cable to the client.</summary>
    public static Cable ClientSide { get; } = new("192.0.2", "2001:db8:1:");

    /// <summary>The cable to the server.</summary>
    public static Cable ServerSide { get; } = new("198.51.100", "2001:db8:2:");

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (TestNamespace each in _namespaces)
        {
            each.Dispose();
        }
    }

    private TestNamespace Add()
    {
        TestNamespace made = new();
        _namespaces.Add(made);
        return made;
    }

    private void Connect(TestNamespace host, string device, Cable cable)
    {
        Tool.Run("ip", "link", "add", device, "netns", Firewall.Name, "type", "veth", "peer", "name", "eth0", "netns", host.Name);
        Batch(Firewall, $"""
            addr add {cable.Firewall(FlowFamily.IPv4)}/24 brd + dev {device}
            addr add {cable.Firewall(FlowFamily.IPv6)}/64 dev {device} nodad
            link set {device} up
            """);
        Batch(host, $"""
            addr add {cable.Host(FlowFamily.IPv4)}/24 brd + dev eth0
            addr add {cable.Host(FlowFamily.IPv6)}/64 dev eth0 nodad
            link set eth0 up
            route add default via {cable.Firewall(FlowFamily.IPv4)}
            route add default via {cable.Firewall(FlowFamily.IPv6)}
            """);
    }

    private static void Batch(TestNamespace where, string commands)
    {
        using Tool ip = Tool.Start("ip", "-n", where.Name, "-batch", "-").Feed(commands + "\n");
        ToolResult result = ip.Wait();
        Assert.True(result.ExitCode == 0, result.Error);
    }
}

/// <summary>The addresses on a cable: the firewall's end and the host's.</summary>
/// <param name="Network4">The first three numbers of the IPv4 addresses.</param>
/// <param name="Network6">How the IPv6 addresses begin.</param>
internal sealed record Cable(string Network4, string Network6)
{
    /// <summary>The firewall's address.</summary>
    public IPAddress Firewall(FlowFamily family) => Address(family, 1);

    /// <summary>The host's address.</summary>
    public IPAddress Host(FlowFamily family) => Address(family, 2);

    private IPAddress Address(FlowFamily family, int number) =>
        IPAddress.Parse(family == FlowFamily.IPv4 ? $"{Network4}.{number}" : $"{Network6}:{number}");
}
