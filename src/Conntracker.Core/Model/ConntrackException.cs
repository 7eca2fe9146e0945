namespace Conntracker;

/// <summary>An operation failed. The message says what, on what, why, and what can be done about it.</summary>
public sealed class ConntrackException : Exception
{
    /// <summary>An error with a reason and a message.</summary>
    public ConntrackException(ConntrackErrorReason reason, string message, Exception? inner = null)
        : base(message, inner) => Reason = reason;

    /// <summary>The reason, for programs.</summary>
    public ConntrackErrorReason Reason { get; }
}
