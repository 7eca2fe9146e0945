namespace Conntracker.Cli;

/// <summary>An exception as one line for the user.</summary>
internal static class ErrorText
{
    /// <summary>
    /// The message of an error that a user can act on. Of any other, which is a defect of the program, also its type and the place where it was
    /// thrown: what a report of the defect needs.
    /// </summary>
    public static string Of(Exception error)
    {
        string message = error.Message.ReplaceLineEndings(" ");
        if (error is ConntrackException or IOException or UnauthorizedAccessException or ArgumentException)
        {
            return message;
        }

        string place = error.StackTrace?.Split('\n')[0].Trim() ?? "at an unknown place";
        return $"unexpected {error.GetType().Name} {place}: {message}";
    }
}
