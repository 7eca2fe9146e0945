namespace Conntracker.Core.Flows;

/// <summary>What the packets of a connection have shown, where their order matters.</summary>
[Flags]
internal enum SeenDirections : ushort
{
    /// <summary>Nothing.</summary>
    None = 0,

    /// <summary>The originator has sent TCP's FIN.</summary>
    Fin = 1,

    /// <summary>The other side has sent TCP's FIN.</summary>
    ReplyFin = 2,

    /// <summary>The originator has spoken.</summary>
    Spoken = 4,

    /// <summary>The other side has spoken.</summary>
    ReplySpoken = 8,

    /// <summary>Both sides have.</summary>
    BothSpoken = Spoken | ReplySpoken,

    /// <summary>Both sides have sent FIN.</summary>
    BothFins = Fin | ReplyFin,
}
