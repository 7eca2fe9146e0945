namespace Conntracker.Core.Packets;

/// <summary>The state of an SCTP association from the first chunk of its packets (RFC 9260), in the states of connection tracking.</summary>
internal static class SctpTracking
{
    private const byte Init = 1;
    private const byte InitAck = 2;
    private const byte Heartbeat = 4;
    private const byte HeartbeatAck = 5;
    private const byte Abort = 6;
    private const byte Shutdown = 7;
    private const byte ShutdownAck = 8;
    private const byte CookieEcho = 10;
    private const byte CookieAck = 11;
    private const byte ShutdownComplete = 14;

    /// <summary>Whether the packet begins an association.</summary>
    public static bool IsBeginning(byte chunk) => chunk == Init;

    /// <summary>Whether only the side that did not begin sends this.</summary>
    public static bool IsFirstAnswer(byte chunk) => chunk is InitAck or CookieAck;

    /// <summary>The state after a packet.</summary>
    public static SctpState Next(SctpState state, byte chunk, bool isReply) => chunk switch
    {
        Init or InitAck => SctpState.CookieWait,
        CookieEcho => SctpState.CookieEchoed,
        CookieAck => SctpState.Established,
        Shutdown => isReply ? SctpState.ShutdownRecd : SctpState.ShutdownSent,
        ShutdownAck => SctpState.ShutdownAckSent,
        Abort or ShutdownComplete => SctpState.Closed,
        Heartbeat when state == SctpState.None => SctpState.HeartbeatSent,
        HeartbeatAck when state == SctpState.HeartbeatSent => SctpState.Established,
        _ => state == SctpState.None ? SctpState.Established : state,
    };
}
