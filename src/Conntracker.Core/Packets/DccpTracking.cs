namespace Conntracker.Core.Packets;

/// <summary>The state of a DCCP connection from its packets' types (RFC 4340), in the states of connection tracking.</summary>
internal static class DccpTracking
{
    private const byte Request = 0;
    private const byte Response = 1;
    private const byte CloseRequest = 5;
    private const byte Close = 6;
    private const byte Reset = 7;

    /// <summary>Whether the packet begins a connection.</summary>
    public static bool IsBeginning(byte type) => type == Request;

    /// <summary>Whether only the responder sends this type.</summary>
    public static bool IsFirstAnswer(byte type) => type is Response or CloseRequest;

    /// <summary>The state after a packet.</summary>
    public static DccpState Next(DccpState state, byte type, bool isReply) => (state, type) switch
    {
        (DccpState.TimeWait, _) => state,
        (_, Reset) => DccpState.TimeWait,
        (_, Close) => DccpState.Closing,
        (DccpState.Closing, _) => state,
        (_, CloseRequest) => DccpState.CloseReq,

        // A retransmission does not set the state back.
        (DccpState.None, Request) => DccpState.Request,
        (DccpState.None or DccpState.Request, Response) => DccpState.Respond,
        (_, Request or Response) => state,
        (DccpState.Respond, _) when !isReply => DccpState.PartOpen,
        (DccpState.PartOpen, _) when isReply => DccpState.Open,
        (DccpState.None, _) => DccpState.Open,
        _ => state,
    };
}
