using System.Globalization;
using Conntracker.Core.Model;

namespace Conntracker.Core.Conntrack;

/// <summary>Reads how full the kernel's table of connections is, in the calling thread's network namespace.</summary>
internal static class TrackingReader
{
    private const string Settings = "/proc/sys/net/netfilter";
    private const string Statistics = "/proc/thread-self/net/stat/nf_conntrack";

    /// <summary>Reads the kernel's numbers; null if they are not available.</summary>
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

    /// <summary>The sums of two columns over all processors. The first line has the names, each further line one processor's hexadecimal numbers.</summary>
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
        column >= 0 && column < words.Length
            && long.TryParse(words[column], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out long number) ? number : 0;

    private static long ReadNumber(string setting) => long.Parse(File.ReadAllText($"{Settings}/{setting}"), CultureInfo.InvariantCulture);
}
