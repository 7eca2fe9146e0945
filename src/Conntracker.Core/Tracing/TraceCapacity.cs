using System.Globalization;

namespace Conntracker.Core.Tracing;

/// <summary>
/// How many tuples the kernel's sets hold for tracing. Who sends packets fills them, so they are given a part of the machine's memory: a 64th in all.
/// </summary>
internal static class TraceCapacity
{
    /// <summary>The fewest: one that small machines can bear as well, 3 MB.</summary>
    public const int Minimum = 4096;

    /// <summary>The most.</summary>
    public const int Maximum = 1 << 20;

    private const long Share = 64;

    // Of the elements of a hash set with addresses and ports: the key, the timeout, the limit, the place in the table.
    private const long BytesOfElement = 200;

    // "traced" and "seen" of both families; the sets of protocols without ports have a quarter of the memory.
    private const long Sets = 4;

    /// <summary>Tuples with ports that a set holds on this machine.</summary>
    public static int OfThisMachine()
    {
        try
        {
            return Of(File.ReadAllText("/proc/meminfo"));
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return Minimum;
        }
    }

    /// <summary>Tuples with ports that a set holds where <c>/proc/meminfo</c> says this.</summary>
    public static int Of(ReadOnlySpan<char> memory)
    {
        const string Label = "MemTotal:";
        int start = memory.IndexOf(Label, StringComparison.Ordinal);
        ReadOnlySpan<char> value = start < 0 ? "" : memory[(start + Label.Length)..].TrimStart();
        int end = value.IndexOf(' ');
        if (end < 0 || !long.TryParse(value[..end], NumberStyles.None, CultureInfo.InvariantCulture, out long kilobytes))
        {
            return Minimum;
        }

        long bytes = Math.Min(kilobytes, long.MaxValue / 1024 / 4) * 1024;
        return (int)Math.Clamp(bytes / Share * 3 / 4 / Sets / BytesOfElement, Minimum, Maximum);
    }
}
