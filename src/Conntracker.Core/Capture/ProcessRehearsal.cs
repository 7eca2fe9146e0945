using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Conntracker.Core.Decoding;
using Conntracker.Core.Flows;
using Conntracker.Core.Native;
using Conntracker.Core.Netlink;

namespace Conntracker.Core.Capture;

/// <summary>
/// Takes everything that is done for a process through once, with this very process: what is run for the first time has to be compiled,
/// which takes longer than many a process lives.
/// </summary>
internal static class ProcessRehearsal
{
    /// <summary>Runs it; of all that, nothing is kept but what is true of this process.</summary>
    public static void Run(ProcessEvents processes)
    {
        TakeEvents(processes);
        using ProcessReporter reporter = new(processes, new FrameQueue(), namespaceCookie: 0);
        socket_record record = default;
        record.owner.pid = (uint)Environment.ProcessId;
        record.owner.time = ulong.MaxValue;
        record.family = SocketConstants.AF_INET;
        if (SocketRecordDecoder.TryReadKey(in record, out FlowKey key))
        {
            reporter.Report(in record, in key);
            reporter.Report(in key, isOutgoing: true, Environment.ProcessId, user: 0);
        }

        // Its number was another reporter's.
        processes.Find(Environment.ProcessId, ulong.MaxValue).Number = 0;
        RunProgram();
    }

    // A few real execs as well: only they take the way through the kernel and the thread that reads them.
    private static void RunProgram()
    {
        const string Program = "/bin/true";
        const int Times = 3;
        for (int i = 0; i < Times && File.Exists(Program); i++)
        {
            using Process program = Process.Start(new ProcessStartInfo(Program) { UseShellExecute = false })!;
            program.WaitForExit();
        }
    }

    // A fork and an exec, as the kernel tells them.
    private static void TakeEvents(ProcessEvents processes)
    {
        Span<byte> datagram = stackalloc byte[128];
        foreach (uint what in (ReadOnlySpan<uint>)[ConnectorConstants.PROC_EVENT_FORK, ConnectorConstants.PROC_EVENT_EXEC])
        {
            NetlinkWriter writer = new(datagram);
            writer.BeginMessage(NetlinkConstants.NLMSG_DONE, 0, 0);
            writer.WriteStruct(new cn_msg { id = new cb_id { idx = ConnectorConstants.CN_IDX_PROC, val = ConnectorConstants.CN_VAL_PROC } });
            int start = writer.Length;
            writer.WriteStruct(new proc_event { what = what });
            exec_proc_event self = new() { process_pid = Environment.ProcessId, process_tgid = Environment.ProcessId };
            MemoryMarshal.Write(datagram[(start + ProcessEventDecoder.DataOffset)..], self);
            MemoryMarshal.Write(datagram[(start + ProcessEventDecoder.DataOffset + Unsafe.SizeOf<exec_proc_event>())..], self);
            writer.EndMessage();
            processes.Take(writer.Written);
        }
    }
}
