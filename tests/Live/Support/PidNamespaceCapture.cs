using System.Globalization;
using System.Text;
using Xunit;

namespace Conntracker.Tests.Live.Support;

/// <summary>
/// The command line program with <c>-b</c> as the first process of a pid namespace of its own, as in a container: /proc shows no other processes than those
/// that are started in it, and the proc connector speaks to nobody there. Ids can be chosen in it.
/// </summary>
internal sealed class PidNamespaceCapture : IDisposable
{
    private const string Write = """
        import os, signal
        def start(id, program, *arguments):
            '''Starts a Python program with an id of this pid namespace.'''
            for attempt in range(100):
                open('/proc/sys/kernel/ns_last_pid', 'w').write(str(id - 1))
                # Not fork(): the caller may have threads, and a copy of their locks would stay locked.
                child = os.posix_spawnp('python3', ['python3', '-c', program, *arguments], os.environ)
                if child == id:
                    return
                os.kill(child, signal.SIGKILL)
                os.waitpid(child, 0)
            raise SystemExit('no process got the id ' + str(id))

        """;

    private readonly CommandLine _program = new();
    private readonly Tool _tool;

    /// <summary>Starts it in a network namespace; it sees every flow from here on.</summary>
    /// <param name="host">The network namespace.</param>
    /// <param name="starter">What starts the program; it has to take the program's command line behind its own.</param>
    public PidNamespaceCapture(TestNamespace host, params string[] starter)
    {
        // 'ip netns exec' would hide the cgroups.
        _tool = Tool.Start(
            "nsenter",
            [
                $"--net=/run/netns/{host.Name}", "unshare", "--pid", "--mount-proc", "--fork", "--kill-child", .. starter,
                CommandLine.Program, "-b", "-o", _program.Log, "--format", "jsonlines", "--duration", "120",
            ]);
        Eventually.True($"the program's table\n{_tool.Error}", () => host.Run("nft", "list", "tables").Contains("conntracker", StringComparison.Ordinal));
    }

    /// <summary>What it has written to standard error so far.</summary>
    public string Error => _tool.Error;

    // The host's number of the program: the only child of unshare(1).
    private string Id => File.ReadAllText(string.Create(CultureInfo.InvariantCulture, $"/proc/{_tool.Id}/task/{_tool.Id}/children")).Trim();

    /// <summary>Starts a Python program in the pid namespace and waits for its first line. It has a function <c>start(id, program, arguments…)</c>.</summary>
    public Tool StartPython(string program, params IEnumerable<string> arguments)
    {
        // Entering a mount namespace leaves a chroot, where /proc would be another one: back to the root of the program.
        Tool tool = Tool.Start("nsenter", ["--target", Id, "--pid", "--mount", "--root", "--net", "python3", "-u", "-c", Write + program, .. arguments]);
        Eventually.True($"a line of the program\n{tool.Error}", () => tool.Output.Contains('\n', StringComparison.Ordinal) || !tool.IsRunning);
        Assert.True(tool.Output.Length > 0, tool.Error);
        return tool;
    }

    /// <summary>Waits for a flow in the log.</summary>
    public Flow WaitForFlow(string what, Predicate<Flow> isWanted)
    {
        Flow? found = null;
        Eventually.True($"{what}\n{Error}", () => (found = ReadFlows().Find(isWanted)) is not null);
        return found!;
    }

    /// <summary>Has it write the log, and reads that.</summary>
    public List<Flow> ReadFlows()
    {
        DateTime old = DateTime.UnixEpoch;
        if (File.Exists(_program.Log))
        {
            File.SetLastWriteTimeUtc(_program.Log, old);
        }

        Tool.Run("kill", "-USR1", Id);
        Eventually.True("a new log", () => File.Exists(_program.Log) && File.GetLastWriteTimeUtc(_program.Log) != old);
        using MemoryStream log = new(Encoding.UTF8.GetBytes(_program.Read()));
        return [.. FlowReader.Read(log, LogFormat.JsonLines, error => Assert.Fail(error.Message))];
    }

    /// <summary>Ends it, and every process of the pid namespace with it.</summary>
    public void Dispose()
    {
        _tool.Dispose();
        _program.Dispose();
    }
}
