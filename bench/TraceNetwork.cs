using System.Diagnostics;

namespace Conntracker.Bench;

/// <summary>A client, a firewall with rules as users have them, and a server, in network namespaces of the bench's own.</summary>
internal sealed class TraceNetwork : IDisposable
{
    /// <summary>The server's address.</summary>
    public const string Server = "10.99.2.2";

    private const string Ruleset = """
        table inet firewall {
            chain forward {
                type filter hook forward priority filter; policy drop;
                ct state established,related accept
                ct state invalid drop
                ip saddr 192.0.2.0/24 drop
                tcp dport { 22, 25, 53 } drop
                tcp dport 8000-8999 jump services
                udp dport 8000-8999 accept
            }
            chain services {
                ip daddr 198.51.100.1 drop
                tcp flags syn accept
            }
        }
        """;

    private readonly string _client = $"ct-bench-c{Environment.ProcessId}";
    private readonly string _firewall = $"ct-bench-f{Environment.ProcessId}";
    private readonly string _server = $"ct-bench-s{Environment.ProcessId}";
    private readonly Process _serving;

    public TraceNetwork()
    {
        foreach (string name in (string[])[_client, _firewall, _server])
        {
            Ip("netns", "add", name);
            Ip("-n", name, "link", "set", "lo", "up");
        }

        Connect(_client, "c0", "10.99.1.2", "f0", "10.99.1.1");
        Connect(_server, "s0", Server, "f1", "10.99.2.1");
        Run(_firewall, "sysctl", "-qw", "net.ipv4.ip_forward=1");
        Run(_firewall, "nft", Ruleset);
        _serving = Start(_server, "serve");
        ChildProcess.WaitForReady(_serving);
    }

    /// <summary>Makes traffic at the client.</summary>
    public ChildResult MakeTraffic(params string[] arguments)
    {
        using Process process = Start(_client, arguments);
        process.StandardInput.Close();
        return ChildProcess.ReadResult(process);
    }

    /// <summary>Makes traffic while a child of ours watches on the firewall.</summary>
    public (ChildResult Traffic, ChildResult Watcher) MakeTrafficBeside(string watcher, params string[] arguments)
    {
        using Process process = Start(_firewall, watcher);
        ChildProcess.WaitForReady(process);
        ChildResult traffic = MakeTraffic(arguments);
        process.StandardInput.Close();
        return (traffic, ChildProcess.ReadResult(process));
    }

    /// <summary>Makes traffic at the server, to itself, while a child of ours watches there.</summary>
    /// <param name="watcher">The child; null for none.</param>
    /// <param name="arguments">The traffic.</param>
    public (ChildResult Traffic, ChildResult? Watcher) MakeLocalTraffic(string? watcher, params string[] arguments)
    {
        // In the host's mount namespace, where the cgroups are: ip netns exec hides them.
        Run(_server, "conntrack", "-F");
        using Process? process = watcher is null ? null : ChildProcess.Start(Environment.ProcessPath!, watcher, _server);
        if (process is not null)
        {
            ChildProcess.WaitForReady(process);
        }

        using Process client = Start(_server, arguments);
        client.StandardInput.Close();
        ChildResult traffic = ChildProcess.ReadResult(client);
        process?.StandardInput.Close();
        return (traffic, process is null ? null : ChildProcess.ReadResult(process));
    }

    /// <summary>Forgets the connections of what was measured before.</summary>
    public void Empty() => Run(_firewall, "conntrack", "-F");

    public void Dispose()
    {
        _serving.StandardInput.Close();
        _serving.WaitForExit();
        _serving.Dispose();
        foreach (string name in (string[])[_client, _firewall, _server])
        {
            Ip("netns", "delete", name);
        }
    }

    private void Connect(string end, string endDevice, string endAddress, string device, string address)
    {
        Ip("link", "add", endDevice, "netns", end, "type", "veth", "peer", "name", device, "netns", _firewall);
        Ip("-n", end, "address", "add", $"{endAddress}/24", "dev", endDevice);
        Ip("-n", _firewall, "address", "add", $"{address}/24", "dev", device);
        Ip("-n", end, "link", "set", endDevice, "up");
        Ip("-n", _firewall, "link", "set", device, "up");
        Ip("-n", end, "route", "add", "default", "via", address);
    }

    private static Process Start(string name, params string[] arguments) => ChildProcess.StartIn(name, Environment.ProcessPath!, arguments);

    private static void Run(string name, params string[] command) => Ip(["netns", "exec", name, .. command]);

    private static void Ip(params string[] arguments) => ChildProcess.Run("ip", arguments);
}
