using System.Globalization;

namespace Conntracker.Core.KernelSettings;

/// <summary>Names a process so that one can check later whether it has ended: a process id is reused, but not together with its start time.</summary>
internal static class ProcessIdentity
{
    /// <summary>The prefix of every name.</summary>
    public const string Prefix = "conntracker process ";

    private const int StartTimeField = 19;

    /// <summary>This process.</summary>
    public static string Own { get; } = Name(Environment.ProcessId, StartOf(Environment.ProcessId) ?? 0);

    /// <summary>The start time of a process, in clock ticks since boot; null if there is no such process.</summary>
    public static long? StartOf(int processId)
    {
        try
        {
            return StartIn(File.ReadAllText($"/proc/{processId}/stat"));
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>The start time in the content of /proc/PID/stat; null if it is missing.</summary>
    internal static long? StartIn(string stat)
    {
        // Field 22. The name in field 2 may contain anything, so count from the last parenthesis.
        string[] fields = stat[(stat.LastIndexOf(')') + 1)..].Split(' ', StringSplitOptions.RemoveEmptyEntries);
        return fields.Length > StartTimeField
            && long.TryParse(fields[StartTimeField], NumberStyles.None, CultureInfo.InvariantCulture, out long start) ? start : null;
    }

    /// <summary>Whether a name belongs to a process that has ended; false if the text is not such a name.</summary>
    public static bool IsGone(string name)
    {
        string[] words = name.Split(' ');
        return name.StartsWith(Prefix, StringComparison.Ordinal)
            && words.Length == 5
            && int.TryParse(words[2], NumberStyles.None, CultureInfo.InvariantCulture, out int processId)
            && long.TryParse(words[4], NumberStyles.None, CultureInfo.InvariantCulture, out long start)
            && StartOf(processId) != start;
    }

    private static string Name(int processId, long start) =>
        string.Create(CultureInfo.InvariantCulture, $"{Prefix}{processId} of {start}");
}
