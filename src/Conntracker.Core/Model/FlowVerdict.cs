namespace Conntracker;

/// <summary>The firewall's verdict on a flow's first packet.</summary>
public enum FlowVerdict : byte
{
    /// <summary>Not known: the flow was not traced.</summary>
    Unknown = 0,

    /// <summary>A rule or a policy accepted it.</summary>
    Accepted = 1,

    /// <summary>A rule or a policy dropped it.</summary>
    Dropped = 2,

    /// <summary>A rule refused it with an answer (TCP reset, ICMP unreachable).</summary>
    Rejected = 3,
}
