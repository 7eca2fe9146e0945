namespace Conntracker.Core.Flows;

/// <summary>
/// What a flow proves; the least is folded first. Whoever forges source addresses can make unanswered flows without end, and answered ones where
/// a service replies to anybody, but cannot complete a handshake: what connection tracking assured is folded last.
/// </summary>
internal enum AggregationRank : byte
{
    /// <summary>Nobody answered, and the connection is gone or was never confirmed.</summary>
    UnansweredClosed = 0,

    /// <summary>Nobody has answered yet.</summary>
    UnansweredOpen = 1,

    /// <summary>Both sides spoke, and the connection is gone.</summary>
    AnsweredClosed = 2,

    /// <summary>Both sides spoke.</summary>
    AnsweredOpen = 3,

    /// <summary>Assured (IPS_ASSURED), and gone.</summary>
    AssuredClosed = 4,

    /// <summary>Assured.</summary>
    AssuredOpen = 5,
}
