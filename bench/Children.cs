using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Conntracker.Core.Captures;
using Conntracker.Core.Feeds;
using Conntracker.Core.Native;
using Conntracker.Core.Netlink;
using Conntracker.Core.Processes;
using Conntracker.Core.Tracing.Nftables;
using Conntracker.Tests.Shared;
using Tmds.Linux;

namespace Conntracker.Bench;

/// <summary>
/// The modes that run in a process of their own, in the bench's network namespace, so that each one's processor time and memory are
/// the kernel's own figures. A reader prints <c>ready</c>, works until its standard input ends, then prints its result as JSON.
/// </summary>
internal static class Children
{
    private static readonly TimeSpan s_keep = TimeSpan.FromMinutes(20);

    public static bool TryRun(string[] args, out int code)
    {
        code = 0;
        switch (args.FirstOrDefault())
        {
            case "load":
                ConntrackLoad.Create(int.Parse(args[1], CultureInfo.InvariantCulture), first: 0, s_keep);
                return true;
            case "serve":
                TrafficChildren.Serve();
                return true;
            case "connect":
                Print(TrafficChildren.Connect(args[1], Number(args[2]), Number(args[3])));
                return true;
            case "flood":
                Print(TrafficChildren.Flood(args[1], Number(args[2]), Number(args[3]), (int)Number(args[4])));
                return true;
            case "flows":
                Print(RunProcesses(args[1], resolve: false));
                return true;
            case "flows-processes":
                Print(RunProcesses(args[1], resolve: true));
                return true;
            case "processes-gone":
                Print(PassProcesses(1_000_000));
                return true;
            case "packet-file":
                Print(PacketFile.Write(args[1], (int)Number(args[2])));
                return true;
            case "send":
                Print(PacketSender.Send(args[1], (int)Number(args[2]), Number(args[3])));
                return true;
            case "run":
                Print(MeasuredProgram.Run(args[1..]));
                return true;
            case "watch":
                Print(MeasuredProgram.Watch(args[1..]));
                return true;
            case "own-table":
                Print(HoldTable());
                return true;
            case "trace-flows":
                Print(RunTrace(TraceMode.Flows));
                return true;
            case "trace-everything":
                Print(RunTrace(TraceMode.Everything));
                return true;
            case "drain":
                Print(Drain());
                return true;
            case "capture":
                Print(RunCapture());
                return true;
            case "hold":
                Print(Hold(int.Parse(args[1], CultureInfo.InvariantCulture)));
                return true;
            case "dump":
                Print(Dump(args[1]));
                return true;
            default:
                return false;
        }
    }

    // The reference: receives as the engine does and looks at nothing.
    private static ChildResult Drain()
    {
        using MulticastSource events = MulticastSource.OpenConntrackEvents(new CaptureOptions().BufferSize);
        using Wakeup stop = new();
        Task watch = StopAtEndOfInput(stop.Set);
        long received = 0;
        bool stopping = false;
        Console.WriteLine("ready");
        while (!stopping)
        {
            stopping = WaitFor(events.Number, stop.Number);
            int got;
            do
            {
                got = events.Receive();
                received += Math.Max(got, 0);
            }
            while (got == events.Batch.Capacity);
        }

        watch.Wait();
        return new ChildResult { Events = received, Lost = events.TakeDrops() ?? 0 };
    }

    private static ChildResult RunCapture()
    {
        using CaptureSession session = CaptureSession.Start(new CaptureOptions());
        using ManualResetEventSlim stop = new();
        Task watch = StopAtEndOfInput(stop.Set);
        Console.WriteLine("ready");
        stop.Wait();
        session.Stop();
        watch.Wait();
        CaptureCounters counters = session.Counters;
        return new ChildResult { Events = counters.Events, Lost = counters.Lost, Flows = session.FlowCount };
    }

    private static ChildResult RunTrace(TraceMode mode)
    {
        using CaptureSession session = CaptureSession.Start(new CaptureOptions { Trace = mode });
        long empty = ResidentBytes();
        using ManualResetEventSlim stop = new();
        Task watch = StopAtEndOfInput(stop.Set);
        Console.WriteLine("ready");
        stop.Wait();
        session.Stop();
        watch.Wait();
        CaptureCounters counters = session.Counters;
        long bytes = ResidentBytes() - empty;

        // A port that the client used twice is one flow of two connections.
        long traced = session.GetFlows(FlowQuery.All)
            .Where(each => each.DstAddress.ToString() == TraceNetwork.Server && each.Trace.Count > 0 && each.Verdict == FlowVerdict.Accepted)
            .Sum(each => each.Connections);
        return new ChildResult { Events = counters.NftablesTraces, Lost = counters.NftablesTracesLost, Flows = traced, Bytes = bytes };
    }

    private static ChildResult RunProcesses(string networkNamespace, bool resolve)
    {
        using CaptureSession session = CaptureSession.Start(new CaptureOptions { NetworkNamespace = networkNamespace, ResolveProcess = resolve });
        using ManualResetEventSlim stop = new();
        Task watch = StopAtEndOfInput(stop.Set);
        Console.WriteLine("ready");
        stop.Wait();
        session.Stop();
        watch.Wait();
        long named = session.GetFlows(FlowQuery.All).Where(each => each.Process is not null).Sum(each => each.Connections);
        return new ChildResult { Flows = named, Lost = session.Counters.ProcessesLost };
    }

    private static ChildResult PassProcesses(int count)
    {
        using FlowCollector collector = new(maximumFlows: 1024, protocols: []);
        long empty = ResidentBytes();
        for (int i = 0; i < count; i++)
        {
            FlowProcess process = new() { Id = i, Name = "worker", CommandLine = $"/usr/bin/worker --number {i}", Source = ProcessSource.Bpf };
            collector.Processes.Take(new ProcessReport(i + 1, SocketScope.Here, process));
        }

        return new ChildResult { Bytes = ResidentBytes() - empty };
    }

    // Our table alone, without a capture that reads.
    private static ChildResult HoldTable()
    {
        using ConntrackerTable table = ConntrackerTable.Create();
        using ManualResetEventSlim stop = new();
        Task watch = StopAtEndOfInput(stop.Set);
        Console.WriteLine("ready");
        stop.Wait();
        watch.Wait();
        return new ChildResult();
    }

    private static double Number(string text) => double.Parse(text, CultureInfo.InvariantCulture);

    private static ChildResult Hold(int count)
    {
        using CaptureSession session = CaptureSession.Start(new CaptureOptions());
        long empty = ResidentBytes();
        ConntrackLoad.Create(count, first: 0, s_keep);
        while (session.Counters.Events < count && session.Counters.Lost == 0)
        {
            Thread.Sleep(50);
        }

        return new ChildResult { Flows = session.FlowCount, Lost = session.Counters.Lost, BytesPerFlow = (ResidentBytes() - empty) / (double)session.FlowCount };
    }

    private static ChildResult Dump(string textPath)
    {
        long started = Stopwatch.GetTimestamp();
        using CaptureSession session = CaptureSession.Start(new CaptureOptions { MaximumFlows = 2_000_000 });
        double dumpSeconds = Stopwatch.GetElapsedTime(started).TotalSeconds;
        session.Stop();

        // The log of the round before: to free its pages is no part of writing this one.
        File.Delete(textPath);
        started = Stopwatch.GetTimestamp();
        using FlowSnapshot snapshot = session.Snapshot();
        using LogFile file = LogFile.Create(textPath);
        SnapshotLog.Write(snapshot, file.Stream, LogFormat.Text, LogStyle.V3);
        file.Commit();
        double textSeconds = Stopwatch.GetElapsedTime(started).TotalSeconds;
        return new ChildResult { Flows = session.FlowCount, Seconds = dumpSeconds, TextSeconds = textSeconds, TextBytes = new FileInfo(textPath).Length };
    }

    private static unsafe bool WaitFor(int events, int stop)
    {
        Span<pollfd> polled = [Poll.ForReading(events), Poll.ForReading(stop)];
        _ = Poll.Wait(polled, -1);
        return polled[1].revents != 0;
    }

    private static Task StopAtEndOfInput(Action stop) => Task.Factory.StartNew(
        () =>
        {
            while (Console.In.Read() >= 0)
            {
            }

            stop();
        },
        TaskCreationOptions.LongRunning);

    private static long ResidentBytes()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        GC.Collect();
        string line = File.ReadLines("/proc/self/status").First(each => each.StartsWith("VmRSS:", StringComparison.Ordinal));
        return long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) * 1024;
    }

    private static void Print(ChildResult result)
    {
        if (result.CpuSeconds == 0)
        {
            result.CpuSeconds = Environment.CpuUsage.TotalTime.TotalSeconds;
        }

        Console.WriteLine(JsonSerializer.Serialize(result, BenchJson.Default.ChildResult));
    }
}
