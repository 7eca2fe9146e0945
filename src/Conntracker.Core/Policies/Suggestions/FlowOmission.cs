namespace Conntracker;

/// <summary>A flow that was seen, and that a policy does not accept.</summary>
public sealed record FlowOmission
{
    /// <summary>The flow.</summary>
    public required Flow Flow { get; init; }

    /// <summary>Why it is not accepted.</summary>
    public required FlowOmissionReason Reason { get; init; }

    /// <summary>The reason and the flow.</summary>
    public override string ToString() => $"{Reason}: {Flow}";
}
