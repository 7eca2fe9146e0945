namespace Conntracker;

/// <summary>Why a policy does not accept a flow that was seen.</summary>
public enum FlowOmissionReason : byte
{
    /// <summary>The firewall dropped or rejected it.</summary>
    Denied = 0,

    /// <summary>
    /// Nobody answered it. UDP that this host sends is accepted without an answer; UDP that comes in or passes through is when a process received it, or
    /// a rule (not a policy) accepted it, or it went to a multicast group.
    /// </summary>
    Unanswered = 1,

    /// <summary>Its direction is not known, and no own addresses were given.</summary>
    DirectionUnknown = 2,

    /// <summary>Its service is not known: at the flow limit only its protocol was kept.</summary>
    Folded = 3,

    /// <summary>The user excluded it.</summary>
    Excluded = 4,

    /// <summary>Its service had fewer connections than the user asked rules for.</summary>
    TooFewConnections = 5,

    /// <summary>The name of its interface has characters that have a meaning in a ruleset.</summary>
    InterfaceName = 6,
}
