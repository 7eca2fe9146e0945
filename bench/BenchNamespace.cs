using System.Diagnostics;
using System.Globalization;

namespace Conntracker.Bench;

/// <summary>
/// A network namespace for the bench, in which a rule of the user's keeps connection tracking on, as on any firewall. The kernel's
/// limit of connections is for the whole host: it is raised, and put back.
/// </summary>
internal sealed class BenchNamespace : IDisposable
{
    private const string MaximumPath = "/proc/sys/net/netfilter/nf_conntrack_max";

    private readonly string _name = $"ct-bench-{Environment.ProcessId}";
    private readonly string _maximum;

    public BenchNamespace(int maximumConnections)
    {
        ChildProcess.Run("ip", "netns", "add", _name);
        ChildProcess.Run("ip", "netns", "exec", _name, "nft", "add table inet user; add chain inet user tracking; add rule inet user tracking ct state new");
        _maximum = File.ReadAllText(MaximumPath).Trim();
        File.WriteAllText(MaximumPath, maximumConnections.ToString(CultureInfo.InvariantCulture));
        TextPath = Path.Join(Path.GetTempPath(), $"{_name}.log");
    }

    /// <summary>Where the text log is written.</summary>
    public string TextPath { get; }

    /// <summary>Runs a reader of ours while the load is made.</summary>
    public ChildResult RunReader(string mode, int count)
    {
        Empty();
        using Process reader = StartInside(Environment.ProcessPath!, mode);
        ChildProcess.WaitForReady(reader);
        MakeLoad(count);
        reader.StandardInput.Close();
        return ChildProcess.ReadResult(reader);
    }

    /// <summary>Runs a child of ours to its end.</summary>
    public ChildResult RunChild(params string[] arguments)
    {
        if (arguments[0] == "hold")
        {
            Empty();
        }

        using Process child = StartInside(Environment.ProcessPath!, arguments);
        child.StandardInput.Close();
        return ChildProcess.ReadResult(child);
    }

    /// <summary>How many of the load's events <c>conntrack -E</c> shows.</summary>
    public long CountConntrackEvents(int count)
    {
        Empty();
        using Process shell = StartInside("sh", "-c", "exec 2>/dev/null; conntrack -E -e NEW & echo ready; read -r _; sleep 1; kill -INT $!; wait $!");
        ChildProcess.WaitForReady(shell);

        // It says nothing when it listens: its socket is the one that joined the group of new connections.
        Thread.Sleep(500);
        Task<long> lines = Task.Run(() =>
        {
            long seen = 0;
            while (shell.StandardOutput.ReadLine() is string line)
            {
                seen += line.Contains("[NEW]", StringComparison.Ordinal) ? 1 : 0;
            }

            return seen;
        });
        MakeLoad(count);
        shell.StandardInput.WriteLine();
        shell.WaitForExit();
        return lines.Result;
    }

    /// <summary>How long <c>conntrack -L &gt; /dev/null</c> takes, in seconds.</summary>
    public double TimeConntrackList()
    {
        long started = Stopwatch.GetTimestamp();
        ChildProcess.Run("ip", "netns", "exec", _name, "sh", "-c", "conntrack -L >/dev/null 2>&1");
        return Stopwatch.GetElapsedTime(started).TotalSeconds;
    }

    public void Dispose()
    {
        File.WriteAllText(MaximumPath, _maximum);
        ChildProcess.Run("ip", "netns", "delete", _name);
        File.Delete(TextPath);
    }

    private void MakeLoad(int count)
    {
        using Process load = StartInside(Environment.ProcessPath!, "load", count.ToString(CultureInfo.InvariantCulture));
        load.WaitForExit();
        if (load.ExitCode != 0)
        {
            throw new InvalidOperationException($"The load could not be made: {load.StandardError.ReadToEnd()}");
        }
    }

    private void Empty() => ChildProcess.Run("ip", "netns", "exec", _name, "conntrack", "-F");

    private Process StartInside(string program, params string[] arguments) => ChildProcess.StartIn(_name, program, arguments);
}
