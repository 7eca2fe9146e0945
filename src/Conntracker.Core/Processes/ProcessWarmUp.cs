using System.Diagnostics;
using Conntracker.Core.Feeds;
using Conntracker.Core.Flows;
using Conntracker.Core.Native;
using static Tmds.Linux.LibC;

namespace Conntracker.Core.Processes;

/// <summary>
/// Runs everything that is done for a process once in advance: code that runs for the first time must be compiled, which takes longer than many a
/// process lives.
/// </summary>
internal static class ProcessWarmUp
{
    private const string Program = "/bin/true";
    private const int Times = 3;

    /// <summary>Runs it; its reports are discarded.</summary>
    public static void Run(ProcessEvents processes)
    {
        using ProcessReporter reporter = new(processes, new MessageQueue(), namespaceCookie: 0);
        socket_record record = default;
        record.owner.pid = (uint)Environment.ProcessId;
        record.owner.time = ulong.MaxValue;
        record.family = (byte)AF_INET;
        if (SocketRecordDecoder.TryReadKey(in record, out FlowKey key))
        {
            reporter.Report(in record, in key);
            reporter.Report(new FoundSocket(key, IsOutgoing: true, Environment.ProcessId, User: 0, RealUser: 0));
        }

        // The numbers remembered in it are those of the warm-up's reporter.
        processes.Find(Environment.ProcessId, ulong.MaxValue).Forget();
        RunProgram();
        processes.CatchUp();
    }

    // Only a real exec goes through the kernel and the thread that reads it.
    private static void RunProgram()
    {
        for (int i = 0; i < Times && File.Exists(Program); i++)
        {
            using Process program = Process.Start(new ProcessStartInfo(Program) { UseShellExecute = false })!;
            program.WaitForExit();
        }
    }
}
