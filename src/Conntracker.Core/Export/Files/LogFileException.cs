namespace Conntracker;

/// <summary>A log file was not written. An existing file at its path is unchanged.</summary>
public sealed class LogFileException : IOException
{
    /// <summary>Creates an error.</summary>
    /// <param name="path">The file that was to be written.</param>
    /// <param name="reason">Why it was not.</param>
    /// <param name="message">What failed, on what, why, and what to do.</param>
    /// <param name="keptPath">Where the finished file is; null when there is none.</param>
    public LogFileException(string path, LogFileReason reason, string message, string? keptPath = null)
        : base(message)
    {
        Path = path;
        Reason = reason;
        KeptPath = keptPath;
    }

    /// <summary>The file that was to be written.</summary>
    public string Path { get; }

    /// <summary>Why it was not.</summary>
    public LogFileReason Reason { get; }

    /// <summary>
    /// The path of a finished file that could not take its own: a new file in the same directory, which only its owner can read. Null when there is
    /// no such file.
    /// </summary>
    public string? KeptPath { get; }

    /// <summary>The same error, for a file that is complete under another path.</summary>
    /// <param name="keptPath">Where the file is.</param>
    public LogFileException KeptAt(string keptPath) =>
        new(Path, Reason, $"{Message} The complete file was kept as '{keptPath}'.", keptPath);
}
