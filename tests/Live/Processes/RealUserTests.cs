using System.Globalization;
using Conntracker.Tests.Live.Support;
using Xunit;

namespace Conntracker.Tests.Live;

/// <summary>Who logged in, and whose rights the process has: su, sudo and setuid keep the one and change the other.</summary>
public sealed class RealUserTests
{
    private const int Port = 5000;
    private const uint Login = 54321;
    private const uint Nobody = 65534;

    // The effective user, which the socket has, is a third one.
    private const string Connection = """
        import os, socket, sys
        print(open('/proc/self/loginuid').read(), flush=True)
        os.setgroups([])
        os.setresuid(int(sys.argv[2]), 54322, 54322)
        listener = socket.socket()
        listener.bind(('127.0.0.1', int(sys.argv[1])))
        listener.listen(1)
        connection = socket.socket()
        connection.connect(listener.getsockname())
        connection.sendall(b'x')
        accepted, peer = listener.accept()
        accepted.recv(1)
        print('connected', flush=True)
        sys.stdin.read()
        """;

    [Theory]
    [InlineData(ProcessSource.Bpf)]
    [InlineData(ProcessSource.Diag)]
    public void The_real_user_is_shown_beside_the_one_who_logged_in(ProcessSource source)
    {
        using TestNamespace host = new();
        host.LoadRules("table inet users {\nchain tracking {\nct state new\n}\n}");
        using LiveCapture? before = source == ProcessSource.Bpf ? ProcessCapture.Start(host) : null;

        // As a login does, before it begins the user's program.
        string program = $"echo {Login} > /proc/self/loginuid; exec \"$@\"";
        using Tool user = host.Start("sh", ["-c", program, "sh", Tool.Need("python3"), "-c", Connection, $"{Port}", $"{Nobody}"]);
        Eventually.True("the connection", () => user.Output.Contains("connected", StringComparison.Ordinal) || !user.IsRunning);
        Assert.True(user.IsRunning, user.Error);
        string login = user.Output.Split('\n')[0];
        Assert.SkipWhen(login != Login.ToString(CultureInfo.InvariantCulture), $"The audit id of the test is fixed already, or the kernel has none: {login}.");
        using LiveCapture? after = before is null ? ProcessCapture.Start(host) : null;

        FlowProcess process = (before ?? after)!.FlowTo(Port, flow => flow.Process is not null).Process!;

        Assert.Equal((source, Login, null), (process.Source, process.UserId, process.UserName));
        Assert.Equal((Nobody, "nobody"), (process.RealUserId, process.RealUserName));
    }
}
