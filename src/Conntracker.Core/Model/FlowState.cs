namespace Conntracker;

/// <summary>How far connection tracking has followed a flow's newest connection.</summary>
public enum FlowState : byte
{
    /// <summary>Only the originator has sent packets.</summary>
    New = 0,

    /// <summary>Packets were seen in both directions (IPS_SEEN_REPLY).</summary>
    Replied = 1,

    /// <summary>The kernel does not remove the connection early when its table is full (IPS_ASSURED).</summary>
    Assured = 2,

    /// <summary>The kernel's table no longer holds the connection (a DESTROY event, or absent from a dump after an overrun).</summary>
    Closed = 3,
}
