namespace Conntracker.Core.Flows;

/// <summary>
/// What a flow proves; the flows that prove least are folded first. An attacker who forges source addresses can create any number of unanswered
/// flows, and answered ones where a service replies to any sender, but cannot complete a handshake: assured flows are folded last.
/// </summary>
internal enum AggregationRank : byte
{
    /// <summary>Unanswered, and the connection has ended or was never confirmed.</summary>
    UnansweredClosed = 0,

    /// <summary>Not answered yet.</summary>
    UnansweredOpen = 1,

    /// <summary>Packets were seen in both directions, and the connection has ended.</summary>
    AnsweredClosed = 2,

    /// <summary>Packets were seen in both directions.</summary>
    AnsweredOpen = 3,

    /// <summary>Assured (IPS_ASSURED), and ended.</summary>
    AssuredClosed = 4,

    /// <summary>Assured.</summary>
    AssuredOpen = 5,
}
