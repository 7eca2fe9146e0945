using System.Globalization;

namespace Conntracker.Core.KernelSettings;

/// <summary>Names a process so that it can be told later whether it is gone: a process id is used again, its start time is not.</summary>
internal static class ProcessIdentity
{
    /// <summary>What every name begins with.</summary>
    public const string Prefix = "conntracker process ";

    private const int StartTimeField = 19;

    /// <summary>This process.</summary>
    public static string Own { get; } = Name(Environment.ProcessId, StartOf(Environment.ProcessId) ?? 0);

    /// <summary>When a process began, in clock ticks since boot; null when there is none.</summary>
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

    /// <summary>The same, out of the content of /proc/PID/stat; null when it is not there.</summary>
    internal static long? StartIn(string stat)
    {
        // Field 22; the name in field 2 may hold anything, so count from the last parenthesis.
        string[] fields = stat[(stat.LastIndexOf(')') + 1)..].Split(' ', StringSplitOptions.RemoveEmptyEntries);
        return fields.Length > StartTimeField && long.TryParse(fields[StartTimeField], NumberStyles.None, CultureInfo.InvariantCulture, out long start) ? start : null;
    }

    /// <summary>Whether a name is that of a process which is gone; false for what is no name.</summary>
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
