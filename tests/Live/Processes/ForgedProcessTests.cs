using System.Net;
using Conntracker.Core.Netlink;
using Conntracker.Core.Processes;
using Conntracker.Tests.Live.Support;
using Xunit;

namespace Conntracker.Tests.Live;

/// <summary>What a user without privileges makes up in a network namespace of its own does not name the process of others' flows.</summary>
public sealed class ForgedProcessTests
{
    private const int Port = 5000;
    private const int ClientPort = 40123;

    private const string Server = """
        import os, socket, sys
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((sys.argv[1], int(sys.argv[2])))
        listener.listen(64)
        print(os.getpid())
        while True:
            connection, peer = listener.accept()
            connection.sendall(connection.recv(64))
            connection.close()
        """;

    private const string Client = """
        import os, socket, sys
        connection = socket.create_connection((sys.argv[1], int(sys.argv[2])), 5, (sys.argv[3], int(sys.argv[4])))
        connection.sendall(b'x')
        connection.recv(64)
        print(os.getpid())
        """;

    // The same tuple, in a namespace that has both addresses on its loopback, and a link to another namespace of the same user.
    private const string Forger = """
        set -e
        ip link set lo up
        ip addr add $1/32 dev lo
        ip addr add $2/32 dev lo
        unshare -n sleep 30 &
        other=$!
        for i in $(seq 100); do [ "$(readlink /proc/$other/ns/net)" != "$(readlink /proc/self/ns/net)" ] && break; sleep 0.02; done
        ip link add own type veth peer name peer netns $other
        ip link set own up
        python3 -c "import socket, sys
        server = socket.socket()
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        server.bind((sys.argv[2], int(sys.argv[3])))
        server.listen(5)
        open('/proc/self/comm', 'w').write('FORGER')
        connection = socket.create_connection((sys.argv[2], int(sys.argv[3])), 5, (sys.argv[1], int(sys.argv[4])))
        accepted, peer = server.accept()
        connection.sendall(b'x')
        accepted.recv(9)
        print('forged')" $1 $2 $3 $4
        kill $other
        """;

    [Fact]
    public void The_client_of_a_forwarded_flow_cannot_be_forged()
    {
        using TestNetwork network = new();
        using LiveCapture live = ProcessCapture.Start(network.Firewall);
        IPAddress server = TestNetwork.ServerSide.Host(FlowFamily.IPv4);
        IPAddress client = TestNetwork.ClientSide.Host(FlowFamily.IPv4);
        using Tool listening = network.Server.StartPython(Server, $"{server}", $"{Port}");
        string id = network.Client.Python(Client, $"{server}", $"{Port}", $"{client}", $"{ClientPort}");
        live.FlowTo(Port, flow => flow is { Process: not null, ReplyProcess: not null });

        Forge(client, server);

        WaitForLaterReport(live, network.Client);
        Flow flow = live.FlowTo(Port, flow => flow.SrcPort == ClientPort);
        Assert.Equal((id, listening.Output.Trim()), ($"{flow.Process?.Id}", $"{flow.ReplyProcess?.Id}"));
    }

    [Fact]
    public void The_process_of_a_flow_that_comes_in_from_a_remote_host_cannot_be_forged()
    {
        using TestNetwork network = new();
        IPAddress server = TestNetwork.ServerSide.Host(FlowFamily.IPv4);
        IPAddress client = TestNetwork.ClientSide.Host(FlowFamily.IPv4);
        using LiveCapture live = ProcessCapture.Start(network.Server);
        using Tool listening = network.Server.StartPython(Server, $"{server}", $"{Port}");
        Forge(client, server);
        network.Client.Python(Client, $"{server}", $"{Port}", $"{client}", $"{ClientPort}");
        Flow flow = live.FlowTo(Port, flow => flow is { ReplyProcess: not null });

        Assert.Equal(FlowDirection.In, flow.Direction);
        Assert.Equal((listening.Output.Trim(), listening.Output.Trim()), ($"{flow.Process?.Id}", $"{flow.ReplyProcess?.Id}"));
    }

    [Fact]
    public void Links_lead_over_another_namespace_and_not_from_one_that_has_none()
    {
        using TestNetwork network = new();
        using TestNamespace alone = new();
        Assert.Equal(NamespaceConnection.Linked, Connection(from: network.Client, to: network.Server));
        Assert.Equal(NamespaceConnection.Linked, Connection(from: network.Client, to: network.Firewall));
        Assert.Equal(NamespaceConnection.None, Connection(from: alone, to: network.Server));
        Assert.Equal(NamespaceConnection.None, Connection(from: network.Server, to: alone));
    }

    [Theory]
    [InlineData("macvlan")]
    [InlineData("ipvlan")]
    public void A_namespace_whose_only_link_is_one_of_these_is_connected(string type)
    {
        using TestNamespace host = new();
        using TestNamespace container = new();
        Tool.Run("ip", "-n", host.Name, "link", "add", "base", "type", "veth", "peer", "name", "other");
        ToolResult result = Tool.Try("ip", "-n", host.Name, "link", "add", "child", "link", "base", "netns", container.Name, "type", type);
        Assert.SkipWhen(result.ExitCode != 0, $"This kernel has no {type}: {result.Error}");
        Assert.Equal(NamespaceConnection.Linked, Connection(from: container, to: host));
    }

    [Fact]
    public void The_programs_know_the_cookie_that_kernels_before_5_14_do_not_give()
    {
        ProcessCapture.NeedPrograms();
        using TestNamespace host = new();
        using AttributionPrograms programs = AttributionPrograms.Attach();
        Assert.Equal(CookieOf(host), host.Do(programs.ReadNamespaceCookie));
    }

    private static NamespaceConnection Connection(TestNamespace from, TestNamespace to)
    {
        using Tool sleeper = from.Start("sleep", "60");
        ulong cookie = CookieOf(from);
        return to.Do(() =>
        {
            // 'ip netns exec' may not have entered yet: then the name below /run/netns is what is found.
            using ConnectedNamespaces namespaces = new();
            return namespaces.Find(cookie, sleeper.Id);
        });
    }

    private static ulong CookieOf(TestNamespace where) => where.Do(() =>
    {
        using NetlinkSocket socket = NetlinkSocket.Open(Conntracker.Core.Native.NetlinkConstants.NETLINK_ROUTE, "the test");
        return socket.NamespaceCookie();
    });

    private static void Forge(IPAddress client, IPAddress server)
    {
        string[] nobody = ["--reuid=65534", "--regid=65534", "--clear-groups", "unshare", "--user", "--map-root-user", "--net", "bash", "-c", Forger, "bash"];
        ToolResult result = Tool.Try("setpriv", [.. nobody, $"{client}", $"{server}", $"{Port}", $"{ClientPort}"]);
        if (result.Error.Contains("unshare", StringComparison.Ordinal))
        {
            // No user may make namespaces here, as below chroot(2). What root makes is connected as little.
            result = Tool.Try("unshare", ["--net", "bash", "-c", Forger, "bash", $"{client}", $"{server}", $"{Port}", $"{ClientPort}"]);
        }

        Assert.True(result.Output.Contains("forged", StringComparison.Ordinal), result.Error);
    }

    // What the forger's socket reported has been looked at when a later report has.
    private static void WaitForLaterReport(LiveCapture live, TestNamespace where)
    {
        string marker = where.Python(Client, $"{TestNetwork.ServerSide.Host(FlowFamily.IPv4)}", $"{Port}", "0.0.0.0", "40124");
        Eventually.Find("a later flow", () => live.Flows.FirstOrDefault(flow => flow.SrcPort == 40124 && $"{flow.Process?.Id}" == marker));
    }
}
