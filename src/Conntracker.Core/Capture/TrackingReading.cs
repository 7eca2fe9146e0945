using System.Globalization;

namespace Conntracker.Core.Capture;

/// <summary>How full the kernel's table of connections is, in the calling thread's network namespace, and what that has cost so far.</summary>
/// <param name="Entries">Connections in the table (net.netfilter.nf_conntrack_count).</param>
/// <param name="Limit">How many the kernel allows (net.netfilter.nf_conntrack_max); 0 for no limit.</param>
/// <param name="Drops">Packets that connection tracking has dropped since the namespace was made: the table was full, or a helper refused them.</param>
/// <param name="EarlyDrops">Connections that the kernel has removed before their time, to make room.</param>
internal readonly record struct TrackingReading(long Entries, long Limit, long Drops, long EarlyDrops)
{
    private const string Settings = "/proc/sys/net/netfilter";
    private const string Statistics = "/proc/thread-self/net/stat/nf_conntrack";

    /// <summary>Whether the table is nearly full: then it is a matter of seconds until packets of new connections are dropped.</summary>
    public bool IsNearlyFull => Limit > 0 && Entries >= NearlyFull;

    /// <summary>How many entries make it nearly full: nine tenths of the limit.</summary>
    public long NearlyFull => Limit - (Limit / 10);

    /// <summary>Reads the kernel's numbers; null when it does not give them.</summary>
    public static TrackingReading? Read()
    {
        try
        {
            long entries = ReadNumber("nf_conntrack_count");
            long limit = ReadNumber("nf_conntrack_max");

            // Without CONFIG_NF_CONNTRACK_PROCFS there are no statistics.
            (long drops, long earlyDrops) = File.Exists(Statistics) ? Sum(File.ReadLines(Statistics)) : (0, 0);
            return new TrackingReading(entries, limit, drops, earlyDrops);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or FormatException)
        {
            return null;
        }
    }

    /// <summary>The sums of two columns over all processors: a line of names, then a line of hexadecimal numbers for each processor.</summary>
    public static (long Drops, long EarlyDrops) Sum(IEnumerable<string> lines)
    {
        (int Drops, int EarlyDrops)? columns = null;
        (long drops, long earlyDrops) = (0, 0);
        foreach (string line in lines)
        {
            string[] words = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            if (columns is not (int dropsAt, int earlyDropsAt))
            {
                columns = (Array.IndexOf(words, "drop"), Array.IndexOf(words, "early_drop"));
                continue;
            }

            drops += NumberAt(words, dropsAt);
            earlyDrops += NumberAt(words, earlyDropsAt);
        }

        return (drops, earlyDrops);
    }

    private static long NumberAt(string[] words, int column) =>
        column >= 0 && column < words.Length && long.TryParse(words[column], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out long number) ? number : 0;

    private static long ReadNumber(string setting) => long.Parse(File.ReadAllText($"{Settings}/{setting}"), CultureInfo.InvariantCulture);
}
