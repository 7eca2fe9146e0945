namespace Conntracker.Cli;

/// <summary>Messages for the user: on standard error, so that a log on standard output stays clean.</summary>
internal static class Messages
{
    /// <summary>What went wrong.</summary>
    public static void Error(string text) => Console.Error.WriteLine($"conntracker: {text}");

    /// <summary>How the run goes; <c>--quiet</c> leaves it out.</summary>
    public static void Progress(string text) => Console.Error.WriteLine($"conntracker: {text}");

    /// <summary>What the user ought to know.</summary>
    public static void Notice(string text) => Console.Error.WriteLine($"conntracker: note: {text}");
}
