using Conntracker.Core.Processes;
using Xunit;

namespace Conntracker.Tests.Live.Support;

/// <summary>A capture that resolves processes, and Python programs to be seen by it.</summary>
internal static class ProcessCapture
{
    private const string CgroupRoot = "/sys/fs/cgroup";

    /// <summary>Starts one; skips the test where this build or this kernel has no eBPF programs.</summary>
    public static LiveCapture Start(TestNamespace where, string? recordPath = null) =>
        Start(new CaptureOptions { NetworkNamespace = where.Name, ResolveProcess = true, RecordPath = recordPath });

    /// <summary>Starts one; skips the test where this build or this kernel has no eBPF programs.</summary>
    public static LiveCapture Start(CaptureOptions options)
    {
        NeedPrograms();
        LiveCapture live = LiveCapture.Start(options);
        if (live.Capture.Notices.FirstOrDefault(notice => notice.Contains("eBPF", StringComparison.Ordinal)) is string notice)
        {
            live.Dispose();
            Assert.Skip(notice);
        }

        return live;
    }

    /// <summary>Skips the test where this build has no eBPF programs.</summary>
    public static void NeedPrograms() =>
        Assert.SkipWhen(AttributionPrograms.MissingAtBuild is not null, $"This build has no eBPF programs: {AttributionPrograms.MissingAtBuild}.");

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
}
