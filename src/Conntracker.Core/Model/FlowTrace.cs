namespace Conntracker;

/// <summary>A trace of a capture, with its results at the moment when it was read.</summary>
public sealed class FlowTrace
{
    /// <summary>The trace's number in its capture, from 1; 0 for the trace that the capture was started with.</summary>
    public int Id { get; init; }

    /// <summary>The capture's name.</summary>
    public required string Capture { get; init; }

    /// <summary>What is traced, in words: a flow, a query, each flow, everything.</summary>
    public required string Target { get; init; }

    /// <summary>The flow that was selected; null for a query and for the trace that the capture was started with.</summary>
    public Flow? Flow { get; init; }

    /// <summary>When the trace began.</summary>
    public DateTimeOffset StartTime { get; init; }

    /// <summary>When the trace ends; null if it lasts as long as the capture.</summary>
    public DateTimeOffset? Until { get; init; }

    /// <summary>Whether the trace has not ended yet.</summary>
    public bool IsActive { get; init; }

    /// <summary>Packets traced so far. A packet over loopback counts twice: once when it is sent, and once when it is received.</summary>
    public long Packets { get; init; }

    /// <summary>Steps that these packets met so far: rules, policies and returns.</summary>
    public long Steps { get; init; }

    /// <summary>What is traced.</summary>
    public override string ToString() => Target;
}
