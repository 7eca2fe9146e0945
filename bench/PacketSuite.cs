using System.Diagnostics;
using System.Globalization;

namespace Conntracker.Bench;

/// <summary>Packets as the source, beside tcpdump: how fast a capture file is read, and what a full cable loses.</summary>
internal static class PacketSuite
{
    private const int FilePackets = 1_000_000;
    private const int CableFlows = 10_240;
    private const double CableSeconds = 5;

    private static readonly string s_program = Path.GetFullPath(Path.Join(AppContext.BaseDirectory, "..", "conntracker"));

    public static void Run(Report report, int rounds)
    {
        string folder = Directory.CreateTempSubdirectory("ct-bench-").FullName;
        try
        {
            ReadFile(Path.Join(folder, "packets.pcap"), report, rounds);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }

        using PacketNetwork network = new();
        Cable(network, report, rounds);
    }

    private static void ReadFile(string path, Report report, int rounds)
    {
        Progress($"a file of {FilePackets} packets");
        ChildResult made = Child("packet-file", path, FilePackets.ToString(CultureInfo.InvariantCulture));
        List<ChildResult> dumps = [];
        List<ChildResult> captures = [];
        for (int round = 0; round < Math.Max(rounds, 3); round++)
        {
            Progress($"a file of {FilePackets} packets, round {round + 1} of {Math.Max(rounds, 3)}");
            dumps.Add(Child("run", "tcpdump", "-nn", "-r", path));

            // The log goes where tcpdump's lines go: both read the file, and write what they make of it.
            captures.Add(Child("run", s_program, "--pcap", path, "-o", "-", "--stats"));
        }

        double[] ratios = [.. dumps.Zip(captures, (dump, capture) => dump.Seconds / capture.Seconds)];
        long flows = captures.Max(each => Math.Abs(made.Flows - MeasuredProgram.ReadNumber(each, "Flows:")));
        long packets = captures.Max(each => Math.Abs(made.Events - MeasuredProgram.ReadNumber(each, "Packets:")));
        report.AddReference("A capture file of 1,000,000 packets", made.Bytes / 1e6, "MB");
        report.AddReference("  flows in it", made.Flows, "flows");
        report.AddReference("  read, and its flows written as a log (median)", Suite.Median(captures.Select(each => each.Seconds)), "s");
        report.AddReference("  the same (best round)", captures.Min(each => each.Seconds), "s");
        report.AddReference("  packets a second (median)", made.Events / Suite.Median(captures.Select(each => each.Seconds)), "/s");
        report.AddReference("  flows a second (median)", made.Flows / Suite.Median(captures.Select(each => each.Seconds)), "/s");
        report.AddReference("  processor time (median)", Suite.Median(captures.Select(each => each.CpuSeconds)), "s");
        report.AddReference("  beside it: tcpdump -nn -r (median)", Suite.Median(dumps.Select(each => each.Seconds)), "s");
        report.AddReference("  beside it: tcpdump -nn -r (best round)", dumps.Min(each => each.Seconds), "s");
        report.AddReference("  beside it: processor time of tcpdump (median)", Suite.Median(dumps.Select(each => each.CpuSeconds)), "s");
        report.AddAtLeast("  tcpdump / conntracker (median)", Suite.Median(ratios), "x", limit: 3);
        report.AddReference("  the same in processor time (median)", Suite.Median(dumps.Zip(captures, (dump, capture) => dump.CpuSeconds / capture.CpuSeconds)), "x");
        report.Add("  flows too few or too many (worst round)", flows, "flows", limit: 0);
        report.Add("  packets too few or too many (worst round)", packets, "", limit: 0);
    }

    // Once as tcpdump is, and once with as large a buffer as ours, so that what is told is not only told of buffers.
    private static void Cable(PacketNetwork network, Report report, int rounds)
    {
        List<CableResult> plain = [];
        List<CableResult> buffered = [];
        string kibibytes = (new CaptureOptions().BufferSize >> 10).ToString(CultureInfo.InvariantCulture);
        for (int round = 0; round < rounds; round++)
        {
            Progress($"a cable as full as the sender can make it, round {round + 1} of {rounds}");
            plain.Add(Capture(network));
            buffered.Add(Capture(network, "-B", kibibytes));
        }

        Tell(report, "Packets sent a second through a cable, for 5 s", plain);
        report.Add("  dropped more than by tcpdump, of those sent (median)", Suite.Median(plain.Select(each => each.OurPart - each.ItsPart)), "%", limit: 1);
        Tell(report, "Packets sent a second, beside tcpdump with a buffer of 64 MiB", buffered);
    }

    private static CableResult Capture(PacketNetwork network, params string[] buffer)
    {
        // Stays root: otherwise Debian's gives the file that it writes to the user tcpdump, and that would be the host's /dev/null.
        using Process tcpdump = network.StartCapture(["tcpdump", "-Z", "root", "-n", "-i", PacketNetwork.Far, "-s", "128", "-w", "/dev/null", .. buffer]);
        using Process capture = network.StartCapture(s_program, "-i", PacketNetwork.Far, "-o", "-", "--stats");
        ChildResult sent = network.Send(
            "send", PacketNetwork.Near, CableFlows.ToString(CultureInfo.InvariantCulture), CableSeconds.ToString(CultureInfo.InvariantCulture));

        // What is in the buffers is still taken in.
        Thread.Sleep(1_000);
        capture.StandardInput.Close();
        tcpdump.StandardInput.Close();
        return new CableResult(sent, ChildProcess.ReadResult(capture), ChildProcess.ReadResult(tcpdump));
    }

    private static void Tell(Report report, string title, List<CableResult> rounds)
    {
        report.AddReference(title, Suite.Median(rounds.Select(each => each.Sent.Events / each.Sent.Seconds)), "/s");
        report.AddReference("  sent in all (median)", Suite.Median(rounds.Select(each => (double)each.Sent.Events)), "");
        report.AddReference("  taken in (median)", Suite.Median(rounds.Select(each => (double)each.OurSeen)), "");
        report.AddReference("  dropped (median)", Suite.Median(rounds.Select(each => (double)each.OurLost)), "");
        report.AddReference("  processor time (median)", Suite.Median(rounds.Select(each => each.Ours.CpuSeconds)), "s");
        report.AddReference("  flows missing of 10,240 (worst round)", rounds.Max(each => CableFlows - MeasuredProgram.ReadNumber(each.Ours, "Flows:")), "flows");
        report.AddReference("  neither taken in nor counted as dropped (worst round)", rounds.Max(each => Math.Abs(each.Sent.Events - each.OurSeen - each.OurLost)), "");
        report.AddReference("  beside it: taken in by tcpdump -w /dev/null (median)", Suite.Median(rounds.Select(each => (double)each.ItsSeen)), "");
        report.AddReference("  beside it: dropped (median)", Suite.Median(rounds.Select(each => (double)each.ItsLost)), "");
        report.AddReference("  beside it: processor time (median)", Suite.Median(rounds.Select(each => each.Its.CpuSeconds)), "s");
    }

    private static ChildResult Child(params string[] arguments)
    {
        using Process child = ChildProcess.Start(Environment.ProcessPath!, arguments);
        child.StandardInput.Close();
        return ChildProcess.ReadResult(child);
    }

    private static void Progress(string text) => Console.Error.WriteLine($"bench: {text} …");

    private sealed record CableResult(ChildResult Sent, ChildResult Ours, ChildResult Its)
    {
        public long OurSeen { get; } = MeasuredProgram.ReadNumber(Ours, "Packets:");

        public long OurLost { get; } = MeasuredProgram.ReadNumber(Ours, "PacketsLost:");

        public long ItsSeen { get; } = MeasuredProgram.ReadNumber(Its, "", " packets captured");

        public long ItsLost { get; } = MeasuredProgram.ReadNumber(Its, "", " packets dropped by kernel");

        public double OurPart => 100.0 * OurLost / Sent.Events;

        public double ItsPart => 100.0 * ItsLost / Sent.Events;
    }
}
