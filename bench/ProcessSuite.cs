using System.Globalization;

namespace Conntracker.Bench;

/// <summary>What it costs to name the process of each connection, and how much memory a million processes take.</summary>
internal static class ProcessSuite
{
    private const double PacedRate = 5_000;
    private const string Seconds = "4";

    public static void Run(Report report, int rounds)
    {
        using TraceNetwork network = new();
        Paced(network, report, rounds);
        Unpaced(network, report, rounds);
        ChildResult gone = network.MakeLocalTraffic(watcher: null, "processes-gone").Traffic;
        report.Add("Resident memory that 1,000,000 processes gone by left", gone.Bytes / 1e6, "MB", limit: 256);
    }

    private static void Paced(TraceNetwork network, Report report, int rounds)
    {
        string rate = PacedRate.ToString(CultureInfo.InvariantCulture);
        List<double> alone = [];
        List<double> resolved = [];
        List<long> lost = [];
        List<double> unnamed = [];
        for (int round = 0; round < rounds; round++)
        {
            Progress($"{PacedRate} connections a second with their processes, round {round + 1} of {rounds}");
            alone.Add(Rate(network.MakeLocalTraffic("flows", "connect", TraceNetwork.Server, rate, Seconds).Traffic));
            (ChildResult traffic, ChildResult? watcher) = network.MakeLocalTraffic("flows-processes", "connect", TraceNetwork.Server, rate, Seconds);
            resolved.Add(Rate(traffic));
            lost.Add(watcher!.Lost);
            unnamed.Add(traffic.Flows - watcher.Flows);
        }

        report.AddReference("Local TCP connections a second, asked for 5,000", alone.Min(), "/s");
        report.AddReference("  with processes", resolved.Min(), "/s");
        report.AddAtLeast("  with / without processes (worst round)", resolved.Zip(alone, (with, without) => with / without).Min(), "x", limit: 0.95);
        report.AddReference("  reports of sockets and processes lost", lost.Max(), "");
        report.AddReference("  connections without a process at the client's end (worst round)", unnamed.Max(), "flows");
    }

    private static void Unpaced(TraceNetwork network, Report report, int rounds)
    {
        List<double> ratios = [];
        for (int round = 0; round < rounds; round++)
        {
            Progress($"as many local connections as can be, round {round + 1} of {rounds}");
            double alone = Rate(network.MakeLocalTraffic("flows", "connect", TraceNetwork.Server, "0", Seconds).Traffic);
            ratios.Add(Rate(network.MakeLocalTraffic("flows-processes", "connect", TraceNetwork.Server, "0", Seconds).Traffic) / alone);
        }

        report.AddReference("As many local connections as can be, with / without processes", Suite.Median(ratios), "x");
    }

    private static double Rate(ChildResult traffic) => traffic.Flows / traffic.Seconds;

    private static void Progress(string text) => Console.Error.WriteLine($"bench: {text} …");
}
