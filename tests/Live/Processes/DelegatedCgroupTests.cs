using System.Globalization;
using Conntracker.Tests.Live.Support;
using Xunit;

namespace Conntracker.Tests.Live;

/// <summary>A user to whom a cgroup is delegated chooses the names of the cgroups in it: they are not the administrator's.</summary>
public sealed class DelegatedCgroupTests : IDisposable
{
    private const int Port = 5000;
    private const string Id = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

    private const string Connection = """
        import os, socket, sys
        os.setgroups([])
        os.setresgid(65534, 65534, 65534)
        os.setresuid(65534, 65534, 65534)
        listener = socket.socket()
        listener.bind(('127.0.0.1', int(sys.argv[1])))
        listener.listen(1)
        connection = socket.socket()
        connection.connect(listener.getsockname())
        connection.sendall(b'x')
        accepted, peer = listener.accept()
        accepted.recv(1)
        print(os.getpid(), flush=True)
        sys.stdin.read()
        """;

    private readonly string _slice = Path.Join(
        ProcessCapture.Cgroups, string.Create(CultureInfo.InvariantCulture, $"{Leftovers.Prefix}{Environment.ProcessId}-delegated.slice"));

    public void Dispose()
    {
        if (Directory.Exists(_slice))
        {
            // Files of cgroups cannot be deleted: only directories, the innermost first.
            string[] below = Directory.GetDirectories(_slice, "*", SearchOption.AllDirectories);
            foreach (string directory in below.Append(_slice).OrderByDescending(path => path.Length))
            {
                Eventually.True($"{directory} without processes", () => File.ReadAllText($"{directory}/cgroup.procs").Length == 0);
                Directory.Delete(directory);
            }
        }
    }

    [Theory]
    [InlineData("user.slice", "sshd.service", null, ProcessSource.Bpf)]
    [InlineData("user.slice", "sshd.service", null, ProcessSource.Diag)]
    [InlineData("user@65534.service", $"docker-{Id}.scope", "user@65534.service", ProcessSource.Bpf)]
    [InlineData("user@65534.service", $"docker-{Id}.scope", "user@65534.service", ProcessSource.Diag)]
    public void Names_that_the_user_chose_are_neither_unit_nor_container(string delegatedName, string chosenName, string? unit, ProcessSource source)
    {
        using TestNamespace host = new();
        host.LoadRules("table inet users {\nchain tracking {\nct state new\n}\n}");
        string delegated = Path.Join(_slice, delegatedName);
        string cgroup = Path.Join(delegated, chosenName);
        Directory.CreateDirectory(delegated);
        Tool.Run("chown", "65534:65534", delegated);
        Tool.Run("setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", "--", Tool.Need("mkdir"), cgroup);

        using LiveCapture? before = source == ProcessSource.Bpf ? ProcessCapture.Start(host) : null;

        // 'ip netns exec' hides the cgroups: the shell goes into its own before.
        using Tool user = Tool.Start(
            "sh", "-c", $"echo $$ > {cgroup}/cgroup.procs && exec \"$@\"", "sh",
            "ip", "netns", "exec", host.Name, Tool.Need("python3"), "-c", Connection, $"{Port}");
        Eventually.True("the connection", () => user.Output.Length > 0 || !user.IsRunning);
        Assert.True(user.IsRunning, user.Error);
        using LiveCapture? after = before is null ? ProcessCapture.Start(host) : null;

        FlowProcess process = (before ?? after)!.FlowTo(Port, flow => flow.Process is not null).Process!;

        Assert.Equal((user.Output.Trim(), source), ($"{process.Id}", process.Source));
        Assert.Equal((cgroup[ProcessCapture.Cgroups.Length..], unit, null), (process.Cgroup, process.Unit, process.Container));
    }
}
