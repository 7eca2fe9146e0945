using System.Globalization;
using System.Net;
using Conntracker.Tests.Live.Support;
using Xunit;

namespace Conntracker.Tests.Live;

/// <summary>The process behind a flow, by the eBPF programs.</summary>
public sealed class ProcessTests
{
    private const int Port = 5000;

    private const string TcpServer = """
        import os, socket, sys
        family = socket.AF_INET6 if ':' in sys.argv[1] else socket.AF_INET
        listener = socket.socket(family)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((sys.argv[1], int(sys.argv[2])))
        listener.listen(64)
        print(os.getpid())
        while True:
            connection, peer = listener.accept()
            connection.sendall(connection.recv(64))
            connection.close()
        """;

    private const string TcpClient = """
        import os, socket, sys
        connection = socket.create_connection((sys.argv[1], int(sys.argv[2])), 5)
        connection.sendall(b'x')
        connection.recv(64)
        print(os.getpid())
        """;

    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("::1")]
    public void Each_end_of_a_local_connection_names_its_own_process(string address)
    {
        using TestNamespace host = new();
        using LiveCapture live = ProcessCapture.Start(host);
        using Tool server = host.StartPython(TcpServer, address, $"{Port}");
        string client = host.Python(TcpClient, address, $"{Port}");

        Flow flow = live.FlowTo(Port, flow => flow is { Process: not null, ReplyProcess: not null });

        Assert.Equal(client, $"{flow.Process!.Id}");
        Assert.Equal(server.Output.Trim(), $"{flow.ReplyProcess!.Id}");
        Assert.Equal((ProcessSource.Bpf, "root", 0u), (flow.Process.Source, flow.Process.UserName, flow.Process.UserId));
        Assert.StartsWith("python3", flow.Process.Name, StringComparison.Ordinal);
        Assert.EndsWith($" {address} {Port}", flow.Process.CommandLine, StringComparison.Ordinal);
        Assert.Contains("python", flow.Process.Path, StringComparison.Ordinal);
        Assert.StartsWith("/", flow.Process.Cgroup, StringComparison.Ordinal);
    }

    [Fact]
    public void A_server_that_was_there_before_the_capture_is_named()
    {
        using TestNamespace host = new();
        using Tool server = host.StartPython(TcpServer, "127.0.0.1", $"{Port}");
        using LiveCapture live = ProcessCapture.Start(host);
        host.Python(TcpClient, "127.0.0.1", $"{Port}");

        Flow flow = live.FlowTo(Port, flow => flow is { ReplyProcess: not null });

        Assert.Equal(server.Output.Trim(), $"{flow.ReplyProcess!.Id}");
    }

    [Theory]
    [InlineData("listener.accept()", "accept")]
    [InlineData("accept_without_peer(listener)", "accept without the peer's address")]
    public void Of_a_server_that_forks_first_the_process_that_accepted_is_named(string accept, string how)
    {
        const string Program = """
            import ctypes, os, socket, sys, time
            def accept_without_peer(listener):
                number = ctypes.CDLL(None, use_errno=True).accept(listener.fileno(), None, None)
                return socket.socket(fileno=number), None
            listener = socket.socket()
            listener.bind(('127.0.0.1', int(sys.argv[1])))
            listener.listen(64)
            for worker in range(3):
                if os.fork() == 0:
                    ctypes.CDLL(None).prctl(1, 9)  # PR_SET_PDEATHSIG: ends with its parent
                    while True:
                        connection, peer = ACCEPT
                        connection.recv(64)
                        connection.sendall(str(os.getpid()).encode())
                        connection.close()
            print('ready')
            time.sleep(60)
            """;
        const string Client = """
            import socket, sys
            for i in range(6):
                connection = socket.create_connection(('127.0.0.1', int(sys.argv[1])), 5)
                port = connection.getsockname()[1]
                connection.sendall(b'x')
                answer = connection.recv(64)
                connection.recv(1)
                print(port, answer.decode())
            """;
        using TestNamespace host = new();
        using LiveCapture live = ProcessCapture.Start(host);
        using Tool server = host.StartPython(Program.Replace("ACCEPT", accept, StringComparison.Ordinal), $"{Port}");
        string[] told = host.Python(Client, $"{Port}").Split('\n');

        Assert.Equal(6, told.Length);
        foreach (string[] each in told.Select(line => line.Split(' ')))
        {
            Eventually.Equal(
                () => $"{how} {each[1]}",
                () => $"{how} {live.Flows.FirstOrDefault(flow => $"{flow.SrcPort}" == each[0])?.ReplyProcess?.Id}");
        }
    }

    [Fact]
    public void A_datagram_names_its_process_whether_the_socket_is_connected_or_not()
    {
        const string Program = """
            import os, socket
            server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            server.bind(('127.0.0.1', 5001))
            connected = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            connected.bind(('127.0.0.1', 6001))
            connected.connect(('127.0.0.1', 5001))
            connected.send(b'x')
            server.sendto(b'y', server.recvfrom(9)[1])
            connected.recv(9)
            unconnected = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            unconnected.bind(('127.0.0.1', 6002))
            unconnected.sendto(b'x', ('127.0.0.1', 5001))
            server.sendto(b'y', server.recvfrom(9)[1])
            unconnected.recvfrom(9)
            six = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
            six.bind(('::1', 6003))
            six.sendto(b'x', ('::1', 5001))
            print(os.getpid())
            """;
        using TestNamespace host = new();
        using LiveCapture live = ProcessCapture.Start(host);
        string id = host.Python(Program);

        foreach (int source in (int[])[6001, 6002, 6003])
        {
            Eventually.Equal(() => $"{source} {id}", () => $"{source} {live.Flows.FirstOrDefault(flow => flow.SrcPort == source)?.Process?.Id}");
        }

        Assert.Equal(id, $"{live.Flows.First(flow => flow.SrcPort == 6001).ReplyProcess?.Id}");
    }

    [Fact]
    public void One_socket_that_asks_many_servers_is_named_for_each()
    {
        const string Resolver = """
            import os, socket
            servers = []
            for i in range(1, 6):
                server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
                server.bind((f'127.0.0.{i}', 53))
                servers.append(server)
            asker = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            for i in range(1, 6):
                asker.sendto(b'query', (f'127.0.0.{i}', 53))
            for server in servers:
                query, peer = server.recvfrom(99)
                server.sendto(b'answer', peer)
                asker.recvfrom(99)
            print(os.getpid())
            """;
        using TestNamespace host = new();
        using LiveCapture live = ProcessCapture.Start(host);
        string id = host.Python(Resolver);

        Eventually.Equal(() => 5, () => live.Flows.Count(flow => flow.DstPort == 53 && $"{flow.Process?.Id}" == id && $"{flow.ReplyProcess?.Id}" == id));
    }

    [Theory]
    [InlineData("127.0.0.1", FlowProtocol.Icmp)]
    [InlineData("::1", FlowProtocol.IcmpV6)]
    public void A_ping_names_itself(string address, FlowProtocol protocol)
    {
        using TestNamespace host = new();
        using LiveCapture live = ProcessCapture.Start(host);
        host.Run("ping", "-c", "1", address);

        Flow flow = Eventually.Find("the ping's flow", () => live.Flows.FirstOrDefault(flow => flow.Protocol == protocol && flow.Process is not null));

        Assert.Equal(("ping", $"ping -c 1 {address}"), (flow.Process!.Name, flow.Process.CommandLine?[(flow.Process.CommandLine.LastIndexOf('/') + 1)..]));
    }

    [Fact]
    public void Who_gives_up_its_rights_before_it_connects_is_named_with_the_lesser_user()
    {
        using TestNamespace host = new();
        using LiveCapture live = ProcessCapture.Start(host);
        using Tool server = host.StartPython(TcpServer, "127.0.0.1", $"{Port}");
        const string Early = "import os, socket, sys\nconnection = socket.socket()\nos.setuid(54321)\nconnection.connect(('127.0.0.1', " +
            "int(sys.argv[1])))\nconnection.sendall(b'x')\nconnection.recv(9)";
        host.Python(Early, $"{Port}");

        Flow flow = live.FlowTo(Port, flow => flow.ReplyProcess is not null && flow.Process?.Id != flow.ReplyProcess.Id);

        // The audit id goes before the user, and test machines may have one.
        uint expected = uint.TryParse(File.ReadAllText("/proc/self/loginuid"), CultureInfo.InvariantCulture, out uint login)
            && login != uint.MaxValue ? login : 54321;
        Assert.Equal(expected, flow.Process!.UserId);
    }

    [Fact]
    public void A_hostile_name_is_exact_in_objects_and_harmless_in_the_text_log()
    {
        const string Renamed = "open('/proc/self/comm', 'w').write('x),pid:1,\\n(\\x1b[2J')\n" + TcpClient;
        using TestNamespace host = new();
        using LiveCapture live = ProcessCapture.Start(host);
        using Tool server = host.StartPython(TcpServer, "127.0.0.1", $"{Port}");
        host.Python(Renamed, "127.0.0.1", $"{Port}");

        Flow flow = live.FlowTo(Port, flow => flow.Process?.Id != flow.ReplyProcess?.Id && flow.Process is not null);

        Assert.Equal("x),pid:1,\n(\u001b[2J", flow.Process!.Name);
        Assert.Contains($"(x__pid:1____[2J,pid:{flow.Process.Id},uid:", Log(live), StringComparison.Ordinal);
    }

    [Fact]
    public void Containers_on_this_host_are_named_though_the_flow_is_only_forwarded_and_translated()
    {
        using TestNetwork network = new();
        network.Firewall.LoadRules("table inet users { chain nat { type nat hook postrouting priority 100; oifname outside masquerade\n}\n}");
        using LiveCapture live = ProcessCapture.Start(network.Firewall);
        IPAddress address = TestNetwork.ServerSide.Host(FlowFamily.IPv4);
        using Tool server = network.Server.StartPython(TcpServer, $"{address}", $"{Port}");
        string client = network.Client.Python(TcpClient, $"{address}", $"{Port}");

        Flow flow = live.FlowTo(Port, flow => flow is { Process: not null, ReplyProcess: not null } && flow.Process.Id != flow.ReplyProcess.Id);

        Assert.Equal((FlowDirection.Forward, true), (flow.Direction, flow.IsNat));
        Assert.Equal((client, server.Output.Trim()), ($"{flow.Process!.Id}", $"{flow.ReplyProcess!.Id}"));
    }

    [Fact]
    public void The_same_addresses_in_another_namespace_are_not_mistaken_for_the_captures_own()
    {
        using TestNamespace host = new();
        using TestNamespace other = new();
        using LiveCapture live = ProcessCapture.Start(host);
        const string Program = """
            import os, socket
            peer = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            peer.bind(('127.0.0.1', 5001))
            own = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            own.bind(('127.0.0.1', 6001))
            own.sendto(b'x', ('127.0.0.1', 5001))
            print(os.getpid())
            """;
        string id = host.Python(Program);
        other.Python(Program);
        other.Python(Program);

        Eventually.Equal(() => id, () => $"{live.Flows.FirstOrDefault(flow => flow.SrcPort == 6001)?.Process?.Id}");
        live.Stop();
        Assert.Equal(id, $"{Assert.Single(live.Flows).Process?.Id}");
    }

    [Fact]
    public void A_container_is_known_by_its_cgroup()
    {
        const string Id = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
        string parent = Path.Join(ProcessCapture.Cgroups, string.Create(CultureInfo.InvariantCulture, $"{Leftovers.Prefix}{Environment.ProcessId}.slice"));
        string cgroup = Path.Join(parent, $"docker-{Id}.scope");
        using TestNamespace host = new();
        Directory.CreateDirectory(cgroup);
        try
        {
            using LiveCapture live = ProcessCapture.Start(host);
            using Tool server = host.StartPython(TcpServer, "127.0.0.1", $"{Port}");

            // 'ip netns exec' hides the cgroups: the shell goes into its own before.
            Tool.Run(
                "sh", "-c", $"echo $$ > {cgroup}/cgroup.procs && exec \"$@\"", "sh",
                "ip", "netns", "exec", host.Name, Tool.Need("python3"), "-c", TcpClient, "127.0.0.1", $"{Port}");

            Flow flow = live.FlowTo(Port, flow => flow.Process?.Container is not null);

            Assert.Equal((cgroup[ProcessCapture.Cgroups.Length..], Id, $"docker-{Id}.scope"),
                (flow.Process!.Cgroup, flow.Process.Container, flow.Process.Unit));
            Assert.Null(flow.ReplyProcess?.Container);
        }
        finally
        {
            Directory.Delete(cgroup);
            Directory.Delete(parent);
        }
    }

    [Fact]
    public void A_replay_shows_the_processes_of_its_recording()
    {
        DirectoryInfo folder = Directory.CreateTempSubdirectory("conntracker-test-");
        try
        {
            string path = Path.Join(folder.FullName, "capture.rec");
            using TestNamespace host = new();
            using LiveCapture live = ProcessCapture.Start(host, path);
            using Tool server = host.StartPython(TcpServer, "127.0.0.1", $"{Port}");
            host.Python(TcpClient, "127.0.0.1", $"{Port}");
            live.FlowTo(Port, flow => flow is { Process: not null, ReplyProcess: not null });
            live.Stop();

            using LiveCapture replay = LiveCapture.Start(new CaptureOptions { ReplayPath = path });

            Assert.Equivalent(Assert.Single(live.Flows).Process, Assert.Single(replay.Flows).Process, strict: true);
            Assert.Equivalent(Assert.Single(live.Flows).ReplyProcess, Assert.Single(replay.Flows).ReplyProcess, strict: true);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static string Log(LiveCapture live)
    {
        using MemoryStream stream = new();
        using (Conntracker.FlowSnapshot snapshot = live.Capture.Session.Snapshot())
        {
            Conntracker.SnapshotLog.Write(snapshot, stream, LogFormat.Text, LogStyle.V3);
        }

        return System.Text.Encoding.UTF8.GetString(stream.ToArray());
    }
}
