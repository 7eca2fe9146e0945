using System.Globalization;

namespace Conntracker.Bench;

/// <summary>What tracing costs, and what it loses: real connections through a firewall with rules.</summary>
internal static class TraceSuite
{
    private const double TracedRate = 2_000;
    private const double FloodRate = 100_000;
    private const int FloodFlows = 1_000;
    private const string Seconds = "5";

    public static void Run(Report report, int rounds)
    {
        using TraceNetwork network = new();
        Paced(network, report, rounds);
        Unpaced(network, report, rounds);
        Flood(network, report);
    }

    // The rate at which users want each flow traced: is it kept, and is each flow traced?
    private static void Paced(TraceNetwork network, Report report, int rounds)
    {
        string rate = TracedRate.ToString(CultureInfo.InvariantCulture);
        List<double> alone = [];
        List<double> traced = [];
        List<double> missed = [];
        List<double> cpu = [];
        for (int round = 0; round < rounds; round++)
        {
            Progress($"{TracedRate} connections a second with every flow traced, round {round + 1} of {rounds}");
            network.Empty();
            alone.Add(Rate(network.MakeTraffic("connect", TraceNetwork.Server, rate, Seconds)));
            network.Empty();
            (ChildResult traffic, ChildResult watcher) = network.MakeTrafficBeside("trace-flows", "connect", TraceNetwork.Server, rate, Seconds);
            traced.Add(Rate(traffic));
            missed.Add(traffic.Flows - watcher.Flows);
            cpu.Add(watcher.CpuSeconds / traffic.Seconds);
        }

        report.AddReference("TCP connections a second, asked for 2,000", alone.Min(), "/s");
        report.AddReference("  with each flow traced", traced.Min(), "/s");
        report.AddAtLeast("  traced / not traced (worst round)", traced.Zip(alone, (with, without) => with / without).Min(), "x", limit: 0.9);
        report.Add("  connections without a trace (worst round)", missed.Max(), "flows", limit: 0);
        report.AddReference("  processors used by the capture", cpu.Max(), "cores");
    }

    private static void Unpaced(TraceNetwork network, Report report, int rounds)
    {
        List<double> alone = [];
        List<double> table = [];
        List<double> traced = [];
        for (int round = 0; round < rounds * 2; round++)
        {
            Progress($"as many connections as can be, round {round + 1} of {rounds * 2}");
            network.Empty();
            alone.Add(Rate(network.MakeTraffic("connect", TraceNetwork.Server, "0", Seconds)));
            network.Empty();
            table.Add(Rate(network.MakeTrafficBeside("own-table", "connect", TraceNetwork.Server, "0", Seconds).Traffic));
            network.Empty();
            traced.Add(Rate(network.MakeTrafficBeside("trace-flows", "connect", TraceNetwork.Server, "0", Seconds).Traffic));
        }

        report.AddReference("TCP connections a second, as many as can be", Suite.Median(alone), "/s");
        report.AddAtLeast("  with our table and no tracing / without", Suite.Median(table) / Suite.Median(alone), "x", limit: 0.97);
        report.AddReference("  with each flow traced / without", Suite.Median(traced) / Suite.Median(alone), "x");
    }

    private static void Flood(TraceNetwork network, Report report)
    {
        Progress($"{FloodRate} traced packets a second");
        network.Empty();
        (ChildResult traffic, ChildResult watcher) = network.MakeTrafficBeside(
            "trace-everything", "flood", TraceNetwork.Server, FloodRate.ToString(CultureInfo.InvariantCulture), Seconds, FloodFlows.ToString(CultureInfo.InvariantCulture));
        report.AddReference("Packets sent a second, each traced, for 5 s", traffic.Events / traffic.Seconds, "/s");
        report.AddReference("  trace messages taken in", watcher.Events, "");
        report.AddReference("  trace messages lost, as the counters counts them", watcher.Lost, "");
        report.AddAtLeast("  flows that are there, of 1,000", watcher.Flows, "flows", limit: FloodFlows);
        report.Add("  resident memory that came to it", watcher.Bytes / 1e6, "MB", limit: 256);
    }

    private static double Rate(ChildResult traffic) => traffic.Flows / traffic.Seconds;

    private static void Progress(string text) => Console.Error.WriteLine($"bench: {text} …");
}
