namespace Conntracker;

/// <summary>The state that connection tracking gives a DCCP connection (enum ct_dccp_states, attribute CTA_PROTOINFO_DCCP_STATE).</summary>
public enum DccpState : byte
{
    /// <summary>No state (CT_DCCP_NONE).</summary>
    None = 0,

    /// <summary>A REQUEST was seen (CT_DCCP_REQUEST).</summary>
    Request = 1,

    /// <summary>A RESPONSE was seen (CT_DCCP_RESPOND).</summary>
    Respond = 2,

    /// <summary>The connection is nearly established (CT_DCCP_PARTOPEN).</summary>
    PartOpen = 3,

    /// <summary>The connection is established (CT_DCCP_OPEN).</summary>
    Open = 4,

    /// <summary>The server has requested to close (CT_DCCP_CLOSEREQ).</summary>
    CloseReq = 5,

    /// <summary>A CLOSE was seen (CT_DCCP_CLOSING).</summary>
    Closing = 6,

    /// <summary>A RESET was seen (CT_DCCP_TIMEWAIT).</summary>
    TimeWait = 7,

    /// <summary>A packet that does not fit the state (CT_DCCP_IGNORE).</summary>
    Ignore = 8,

    /// <summary>A packet that is not valid (CT_DCCP_INVALID).</summary>
    Invalid = 9,
}
