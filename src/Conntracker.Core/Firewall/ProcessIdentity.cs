using System.Globalization;

namespace Conntracker.Core.Firewall;

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
            // Field 22 of /proc/PID/stat; the name in field 2 may hold anything, so count from the last parenthesis.
            string stat = File.ReadAllText($"/proc/{processId}/stat");
            string[] fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
            return long.Parse(fields[StartTimeField], CultureInfo.InvariantCulture);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return null;
        }
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
