using System.Net;
using Conntracker.Tests.Live.Support;
using Xunit;

namespace Conntracker.Tests.Live;

/// <summary>A capture in a pid namespace of its own: the eBPF programs number processes as the host does, /proc does not.</summary>
public sealed class PidNamespaceTests
{
    private const int Port = 5000;
    private const uint User = 12321;

    // One socket of the first thread, one of another thread, which may have a name of its own.
    private const string Guilty = """
        import os, socket, sys, threading
        def send(port):
            open('/proc/thread-self/comm', 'w').write('GUILTY')
            own = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            own.bind(('127.0.0.1', port))
            own.sendto(b'x', ('127.0.0.1', int(sys.argv[1])))
            own.recv(9)
        print(os.getpid())
        sys.stdin.readline()
        os.setuid(int(sys.argv[2]))
        send(6001)
        thread = threading.Thread(target=send, args=(6002,))
        thread.start()
        thread.join()
        print('sent')
        """;

    private const string Decoy = """
        import os, sys
        start(int(sys.argv[1]), '''if True:
            import os, sys
            open('/proc/self/comm', 'w').write('DECOY')
            try:
                open('/proc/self/loginuid', 'w').write('4242')
            except OSError:
                pass
            print('decoy', os.getpid(), flush=True)
            sys.stdin.read()''', 'secret')
        os.waitpid(int(sys.argv[1]), 0)
        """;

    [Fact]
    public void Nothing_of_the_process_that_has_the_same_id_in_it_is_shown_for_another_one_of_the_host()
    {
        ProcessCapture.NeedPrograms();
        using TestNamespace host = new();
        using PidNamespaceCapture capture = new(host);
        ProcessCapture.CheckAttached(capture.Error);
        using EchoServer? server = EchoServer.Start(host, FlowProtocol.Udp, IPAddress.Loopback, Port);
        using Tool guilty = host.StartPython(Guilty, $"{Port}", $"{User}");
        string id = guilty.Output.Trim();
        using Tool decoy = capture.StartPython(Decoy, id);
        Assert.Equal($"decoy {id}", decoy.Output.Trim());

        guilty.Feed("\n");
        Eventually.True($"both sockets\n{guilty.Error}", () => guilty.Output.Contains("sent", StringComparison.Ordinal));

        foreach (int port in (int[])[6001, 6002])
        {
            FlowProcess process = capture.WaitForFlow($"the flow from {port}", flow => flow.SrcPort == port && flow.Process is not null).Process!;
            Assert.Equal((0, "GUILTY", ProcessSource.Bpf), (process.Id, process.Name, process.Source));
            Assert.Equal((null, null, User), (process.CommandLine, process.Path, process.UserId));
        }

        Assert.Contains("does not show the host's pid namespace", capture.Error, StringComparison.Ordinal);
        Assert.Contains("--pid host", capture.Error, StringComparison.Ordinal);
    }
}
