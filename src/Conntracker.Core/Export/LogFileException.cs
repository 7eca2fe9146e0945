namespace Conntracker.Core.Export;

/// <summary>A log file was not written. What stood at its path stands there unchanged.</summary>
public sealed class LogFileException : IOException
{
    /// <summary>Creates an error.</summary>
    /// <param name="path">The file that was to be written.</param>
    /// <param name="reason">Why it was not.</param>
    /// <param name="message">What failed, on what, why, and what to do.</param>
    public LogFileException(string path, LogFileReason reason, string message)
        : base(message)
    {
        Path = path;
        Reason = reason;
    }

    /// <summary>The file that was to be written.</summary>
    public string Path { get; }

    /// <summary>Why it was not.</summary>
    public LogFileReason Reason { get; }
}
