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

    /// <summary>Whether only the responder sends this chunk.</summary>
    public static bool IsFirstAnswer(byte chunk) => chunk is InitAck or CookieAck;

    /// <summary>The state after a packet.</summary>
    public static SctpState Next(SctpState state, byte chunk, bool isReply) => (state, chunk) switch
    {
        (SctpState.Closed, _) => state,
        (_, Abort or ShutdownComplete) => SctpState.Closed,

        // A retransmission, or a restart of an existing association, does not set the state back.
        (SctpState.None or SctpState.HeartbeatSent, Init or InitAck) => SctpState.CookieWait,
        (SctpState.None or SctpState.HeartbeatSent or SctpState.CookieWait, CookieEcho) => SctpState.CookieEchoed,
        (SctpState.CookieWait or SctpState.CookieEchoed, CookieAck) => SctpState.Established,
        (SctpState.ShutdownAckSent, Shutdown) => state,
        (_, Shutdown) => isReply ? SctpState.ShutdownRecd : SctpState.ShutdownSent,
        (_, ShutdownAck) => SctpState.ShutdownAckSent,
        (SctpState.None or SctpState.HeartbeatSent, Heartbeat) => SctpState.HeartbeatSent,
        (SctpState.None or SctpState.HeartbeatSent, _) => SctpState.Established,
        _ => state,
    };
}
