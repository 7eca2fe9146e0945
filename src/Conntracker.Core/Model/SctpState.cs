namespace Conntracker;

/// <summary>The state that connection tracking gives an SCTP association (enum sctp_conntrack, attribute CTA_PROTOINFO_SCTP_STATE).</summary>
public enum SctpState : byte
{
    /// <summary>No state (SCTP_CONNTRACK_NONE).</summary>
    None = 0,

    /// <summary>Closed (SCTP_CONNTRACK_CLOSED).</summary>
    Closed = 1,

    /// <summary>INIT was sent (SCTP_CONNTRACK_COOKIE_WAIT).</summary>
    CookieWait = 2,

    /// <summary>COOKIE ECHO was sent (SCTP_CONNTRACK_COOKIE_ECHOED).</summary>
    CookieEchoed = 3,

    /// <summary>The association is established (SCTP_CONNTRACK_ESTABLISHED).</summary>
    Established = 4,

    /// <summary>SHUTDOWN was sent (SCTP_CONNTRACK_SHUTDOWN_SENT).</summary>
    ShutdownSent = 5,

    /// <summary>SHUTDOWN was received (SCTP_CONNTRACK_SHUTDOWN_RECD).</summary>
    ShutdownRecd = 6,

    /// <summary>SHUTDOWN ACK was sent (SCTP_CONNTRACK_SHUTDOWN_ACK_SENT).</summary>
    ShutdownAckSent = 7,

    /// <summary>A heartbeat was sent on another path (SCTP_CONNTRACK_HEARTBEAT_SENT).</summary>
    HeartbeatSent = 8,

    /// <summary>A heartbeat was acknowledged (SCTP_CONNTRACK_HEARTBEAT_ACKED, removed in Linux 6.1).</summary>
    HeartbeatAcked = 9,
}
