using System.Globalization;
using System.Net;
using Conntracker.Tests.Live.Support;
using Xunit;

namespace Conntracker.Tests.Live;

/// <summary>A process id that is used again, where no eBPF program and no proc connector report what happens: sockets are looked up.</summary>
public sealed class ReusedProcessIdTests
{
    private const int Port = 5000;
    private const int InnocentPort = 6001;

    // A socket that A makes and B keeps. At a line of standard input A ends, and its id goes to a process that has nothing to do with it.
    private const string Program = """
        import os, socket, sys, threading
        def rename(name):
            open('/proc/self/comm', 'w').write(name)
        rename('A-OLD')
        made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        made.bind(('127.0.0.1', int(sys.argv[1])))
        end_read, end_write = os.pipe()
        first = os.getpid()
        if os.fork() > 0:
            os.close(end_write)
            os.read(end_read, 1)
            os._exit(0)
        rename('B-KEEPS')
        os.close(end_read)
        def serve():
            while True:
                data, peer = made.recvfrom(99)
                made.sendto(data, peer)
        threading.Thread(target=serve, daemon=True).start()
        print('first', first)
        sys.stdin.readline()
        os.write(end_write, b'x')
        while os.path.exists(f'/proc/{first}'):
            pass
        start(first, '''if True:
            import os, socket, sys
            open('/proc/self/comm', 'w').write('INNOCENT')
            own = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            own.bind(('127.0.0.1', int(sys.argv[1])))
            own.connect(('127.0.0.1', int(sys.argv[2])))
            own.send(b'x')
            own.recv(9)
            print('innocent', os.getpid(), flush=True)
            sys.stdin.read()''', sys.argv[2], sys.argv[1])
        os.waitpid(first, 0)
        """;

    [Fact]
    public void Neither_who_made_a_socket_nor_who_has_its_id_now_is_named_but_who_keeps_it()
    {
        using TestNamespace host = new();
        using PidNamespaceCapture capture = new(host, "setpriv", "--bounding-set=-bpf,-sys_admin", "--inh-caps=-all", "--");
        using Tool program = capture.StartPython(Program, $"{Port}", $"{InnocentPort}");
        Ask(host, 40001);
        Assert.Equal("A-OLD", WaitForReplyProcess(capture, 40001).Name);

        program.Write("\n");
        Eventually.True($"the innocent process\n{program.Output}\n{program.Error}", () => program.Output.Contains("innocent", StringComparison.Ordinal));
        string[] ids = [.. program.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.Split(' ')[1])];
        Assert.Equal(ids[0], ids[1]);

        Flow innocent = capture.WaitForFlow(
            "the innocent process's flow", flow => flow.SrcPort == InnocentPort && flow is { Process: not null, ReplyProcess: not null });
        Assert.Equal((ids[1], "INNOCENT"), (innocent.Process!.Id.ToString(CultureInfo.InvariantCulture), innocent.Process.Name));
        Assert.EndsWith($" {InnocentPort} {Port}", innocent.Process.CommandLine, StringComparison.Ordinal);
        Assert.Equal("B-KEEPS", innocent.ReplyProcess!.Name);

        Ask(host, 40002);
        Assert.Equal("B-KEEPS", WaitForReplyProcess(capture, 40002).Name);
    }

    private static FlowProcess WaitForReplyProcess(PidNamespaceCapture capture, int port) =>
        capture.WaitForFlow($"the process that answers the port {port}", flow => flow.SrcPort == port && flow.ReplyProcess is not null).ReplyProcess!;

    private static void Ask(TestNamespace host, int port) =>
        TestClient.Exchange(host, FlowProtocol.Udp, new IPEndPoint(IPAddress.Loopback, port), new IPEndPoint(IPAddress.Loopback, Port));
}
