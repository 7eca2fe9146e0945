namespace Conntracker;

/// <summary>What a capture traces, until when, and what came of it at the moment when this was read.</summary>
public sealed class FlowTrace
{
    /// <summary>The trace's number in its capture, from 1; 0 is what the capture was started with.</summary>
    public int Id { get; init; }

    /// <summary>The capture's name.</summary>
    public required string Capture { get; init; }

    /// <summary>What is traced, in words: a flow, a query, each flow, everything.</summary>
    public required string Target { get; init; }

    /// <summary>The flow that was chosen; null for a query and for what the capture was started with.</summary>
    public Flow? Flow { get; init; }

    /// <summary>When it began.</summary>
    public DateTimeOffset StartTime { get; init; }

    /// <summary>When it ends; null when it lasts as long as the capture.</summary>
    public DateTimeOffset? Until { get; init; }

    /// <summary>Whether its time is not over.</summary>
    public bool IsActive { get; init; }

    /// <summary>Packets that were traced so far. Over loopback one counts twice: as it is sent, and as it comes in.</summary>
    public long Packets { get; init; }

    /// <summary>Steps that they met so far: rules, policies and returns.</summary>
    public long Steps { get; init; }

    /// <summary>What is traced.</summary>
    public override string ToString() => Target;
}
