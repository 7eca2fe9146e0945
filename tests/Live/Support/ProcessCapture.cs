using Conntracker.Core.Processes;
using Xunit;

namespace Conntracker.Tests.Live.Support;

/// <summary>A capture that resolves processes, and Python programs to be seen by it.</summary>
internal static class ProcessCapture
{
    private const string CgroupRoot = "/sys/fs/cgroup";

    // What src/Conntracker.Bpf needs, by the names of bpftool(8).
    private static readonly string[] s_needs =
    [
        "program_type cgroup_skb", "program_type cgroup_sock", "program_type cgroup_sock_addr", "program_type sock_ops",
        "map_type sk_storage", "map_type lru_hash", "map_type ringbuf", "map_type percpu_array",
    ];

    private static readonly Lazy<string?> s_lack = new(FindLack);

    /// <summary>Starts one; skips the test where this build or this kernel has no eBPF programs.</summary>
    public static LiveCapture Start(TestNamespace where, string? recordPath = null) =>
        Start(new CaptureOptions { NetworkNamespace = where.Name, ResolveProcess = true, RecordPath = recordPath });

    /// <summary>Starts one; skips the test where this build or this kernel has no eBPF programs.</summary>
    public static LiveCapture Start(CaptureOptions options)
    {
        NeedPrograms();
        LiveCapture live = LiveCapture.Start(options);
        try
        {
            CheckAttached(string.Join('\n', live.Capture.Notices));
        }
        catch
        {
            live.Dispose();
            throw;
        }

        return live;
    }

    /// <summary>Skips the test where this build has no eBPF programs, or this kernel cannot run them.</summary>
    public static void NeedPrograms()
    {
        TestNamespace.NeedRoot();
        Assert.SkipWhen(AttributionPrograms.MissingAtBuild is not null, $"This build has no eBPF programs: {AttributionPrograms.MissingAtBuild}.");
        Assert.SkipWhen(s_lack.Value is not null, s_lack.Value ?? "");
    }

    /// <summary>Fails when a capture reports that it runs without its eBPF programs, although this kernel can run them.</summary>
    /// <param name="notices">What the capture has reported.</param>
    public static void CheckAttached(string notices) => Assert.DoesNotContain("eBPF", notices, StringComparison.Ordinal);

    /// <summary>Runs a Python program in a namespace to its end; what it prints.</summary>
    public static string Python(this TestNamespace where, string program, params IEnumerable<string> arguments) =>
        where.Run("python3", ["-c", program, .. arguments]).Trim();

    /// <summary>Starts a Python program and waits for its first line.</summary>
    public static Tool StartPython(this TestNamespace where, string program, params IEnumerable<string> arguments)
    {
        Tool tool = where.Start("python3", ["-u", "-c", program, .. arguments]);
        Eventually.True($"a line of the program\n{tool.Error}", () => tool.Output.Contains('\n', StringComparison.Ordinal) || !tool.IsRunning);
        Assert.True(tool.IsRunning, tool.Error);
        return tool;
    }

    /// <summary>Waits for the flow to a port, with a process at the end that answers, or at the one that began it.</summary>
    public static Flow FlowTo(this LiveCapture live, int port, Predicate<Flow> isComplete) =>
        Eventually.Find($"the flow to port {port}, with its processes", () => live.Flows.FirstOrDefault(flow => flow.DstPort == port && isComplete(flow)));

    /// <summary>The root of the cgroup2 hierarchy.</summary>
    public static string Cgroups => CgroupHierarchy.FindRoot() ?? CgroupRoot;

    // Another program answers, so that a capture that fails to attach its programs cannot skip its own tests.
    private static string? FindLack()
    {
        if (!File.ReadLines("/proc/mounts").Any(line => line.Split(' ')[2] == "cgroup2"))
        {
            return "The cgroup2 hierarchy is not mounted, and eBPF programs need its root.";
        }

        ToolResult probe = Tool.Try(Tool.Need("bpftool"), "feature", "probe", "kernel");
        string[] missing = [.. s_needs.Where(each => !probe.Output.Contains($"{each} is available", StringComparison.Ordinal))];
        return missing.Length == 0 ? null : $"This kernel lacks what the eBPF programs need, by 'bpftool feature probe': {string.Join(", ", missing)}.";
    }
}
