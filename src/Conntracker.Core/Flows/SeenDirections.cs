namespace Conntracker.Core.Flows;

/// <summary>What was seen of a connection's packets, where the direction matters.</summary>
[Flags]
internal enum SeenDirections : ushort
{
    /// <summary>Nothing.</summary>
    None = 0,

    /// <summary>The originator has sent TCP's FIN.</summary>
    Fin = 1,

    /// <summary>The responder has sent TCP's FIN.</summary>
    ReplyFin = 2,

    /// <summary>The originator has sent a packet.</summary>
    Spoken = 4,

    /// <summary>The responder has sent a packet.</summary>
    ReplySpoken = 8,

    /// <summary>Both sides have sent packets.</summary>
    BothSpoken = Spoken | ReplySpoken,

    /// <summary>Both sides have sent FIN.</summary>
    BothFins = Fin | ReplyFin,
}
