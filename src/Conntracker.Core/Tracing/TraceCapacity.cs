using System.Globalization;

namespace Conntracker.Core.Tracing;

/// <summary>
/// How many tuples the kernel's sets hold for tracing. Senders of packets fill them, so they get a fixed part of the machine's memory: a 64th in all.
/// </summary>
internal static class TraceCapacity
{
    /// <summary>The minimum: 3 MB, which small machines can afford as well.</summary>
    public const int Minimum = 4096;

    /// <summary>The maximum.</summary>
    public const int Maximum = 1 << 20;

    private const long Share = 64;

    // The size of an element of a hash set with addresses and ports: the key, the timeout, the limit, the slot in the table.
    private const long BytesOfElement = 200;

    // "traced" and "seen" of both families; the sets of protocols without ports have a quarter of the memory.
    private const long Sets = 4;

    /// <summary>The number of tuples with ports that a set holds on this machine.</summary>
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

    /// <summary>The number of tuples with ports that a set holds, given the content of <c>/proc/meminfo</c>.</summary>
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
