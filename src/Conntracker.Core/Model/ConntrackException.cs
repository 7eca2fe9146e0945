namespace Conntracker;

/// <summary>Something could not be done. The message says what, on what, why, and what can be done about it.</summary>
public sealed class ConntrackException : Exception
{
    /// <summary>Makes an exception.</summary>
    public ConntrackException(ConntrackErrorReason reason, string message, Exception? inner = null)
        : base(message, inner) => Reason = reason;

    /// <summary>Why, for programs.</summary>
    public ConntrackErrorReason Reason { get; }
}
