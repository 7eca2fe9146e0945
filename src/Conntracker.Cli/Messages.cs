namespace Conntracker.Cli;

/// <summary>Messages for the user: on standard error, so that a log on standard output stays clean.</summary>
internal static class Messages
{
    /// <summary>Reports an error.</summary>
    public static void Error(string text) => Console.Error.WriteLine($"conntracker: {text}");

    /// <summary>Reports progress; <c>--quiet</c> omits it.</summary>
    public static void Progress(string text) => Console.Error.WriteLine($"conntracker: {text}");

    /// <summary>Reports something the user should know.</summary>
    public static void Notice(string text) => Console.Error.WriteLine($"conntracker: note: {text}");
}
