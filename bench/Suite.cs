using System.Globalization;

namespace Conntracker.Bench;

/// <summary>The benchmark: each figure beside its reference, measured in turn in one run, because machines are noisy.</summary>
internal static class Suite
{
    private const int FloodCount = 500_000;
    private const int TableCount = 1_000_000;

    public static int Run(string[] args)
    {
        int rounds = args.Length > 0 ? int.Parse(args[0], CultureInfo.InvariantCulture) : 3;
        string output = args.Length > 1 ? args[1] : "bench.json";
        string only = args.Length > 2 ? args[2] : "";
        Report report = new();
        if (only is "" or "flows")
        {
            using BenchNamespace space = new(maximumConnections: TableCount * 2);
            Flood(space, report, rounds);
            Table(space, report, rounds);
        }

        if (only is "" or "trace")
        {
            TraceSuite.Run(report, rounds);
        }

        if (only is "" or "processes")
        {
            ProcessSuite.Run(report, rounds);
        }

        if (only is "" or "packets")
        {
            PacketSuite.Run(report, rounds);
        }

        if (only is "" or "trial")
        {
            TrialSuite.Run(report, rounds);
        }

        report.Print(Console.Out);
        report.Save(output);
        return report.IsGood ? 0 : 1;
    }

    private static void Flood(BenchNamespace space, Report report, int rounds)
    {
        List<ChildResult> captures = [];
        List<ChildResult> drains = [];
        List<long> shown = [];
        for (int round = 0; round < rounds; round++)
        {
            Progress($"flood of {FloodCount} new flows, round {round + 1} of {rounds}");
            drains.Add(space.RunReader("drain", FloodCount));
            captures.Add(space.RunReader("capture", FloodCount));
            shown.Add(space.CountConntrackEvents(FloodCount));
        }

        report.Add("New flows lost of 500,000, default buffer (worst round)", captures.Max(each => each.Lost + FloodCount - each.Events), "flows", limit: 0);
        report.AddReference("  beside it: minimal reader", drains.Max(each => each.Lost), "flows");
        report.AddReference("  beside it: conntrack -E", FloodCount - shown.Min(), "flows");
        double capture = Median(captures.Select(each => each.CpuSeconds));
        double drain = Median(drains.Select(each => each.CpuSeconds));
        report.AddReference("CPU of the capture for 500,000 flows", capture, "s");
        report.AddReference("  beside it: minimal reader", drain, "s");
        report.Add("CPU of the capture / minimal reader", capture / drain, "x", limit: 1.6);
    }

    private static void Table(BenchNamespace space, Report report, int rounds)
    {
        Progress($"{TableCount} flows held");
        ChildResult held = space.RunChild("hold", TableCount.ToString(CultureInfo.InvariantCulture));
        report.Add("Resident memory a flow, 1,000,000 held", held.BytesPerFlow, "bytes", limit: 160);

        List<ChildResult> dumps = [];
        List<double> lists = [];
        for (int round = 0; round < rounds; round++)
        {
            Progress($"dump of {TableCount} entries, round {round + 1} of {rounds}");
            dumps.Add(space.RunChild("dump", space.TextPath));
            lists.Add(space.TimeConntrackList());
        }

        report.AddReference("Dump of 1,000,000 entries into flows", Median(dumps.Select(each => each.Seconds)), "s");
        report.AddReference("  beside it: conntrack -L > /dev/null", Median(lists), "s");
        double ratio = Median(dumps.Zip(lists, (dump, list) => list / dump.Seconds));
        report.AddAtLeast("conntrack -L / dump into flows", ratio, "x", limit: 2.5);
        report.Add("1,000,000 flows sorted and written as a V3 text file", Median(dumps.Select(each => each.TextSeconds)), "s", limit: 1.5);
        report.AddReference("  size of that file", dumps[0].TextBytes / 1e6, "MB");
    }

    public static double Median(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        return sorted.Length % 2 == 1 ? sorted[sorted.Length / 2] : (sorted[(sorted.Length / 2) - 1] + sorted[sorted.Length / 2]) / 2;
    }

    private static void Progress(string text) => Console.Error.WriteLine($"bench: {text} …");
}
