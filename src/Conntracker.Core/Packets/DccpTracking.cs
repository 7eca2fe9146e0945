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

    /// <summary>Whether only the side that did not begin sends this.</summary>
    public static bool IsFirstAnswer(byte type) => type is Response or CloseRequest;

    /// <summary>The state after a packet.</summary>
    public static DccpState Next(DccpState state, byte type, bool isReply) => type switch
    {
        Request => DccpState.Request,
        Response => DccpState.Respond,
        CloseRequest => DccpState.CloseReq,
        Close => DccpState.Closing,
        Reset => DccpState.TimeWait,
        _ => state switch
        {
            DccpState.Respond when !isReply => DccpState.PartOpen,
            DccpState.PartOpen when isReply => DccpState.Open,
            DccpState.None => DccpState.Open,
            _ => state,
        },
    };
}
