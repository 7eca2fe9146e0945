namespace Conntracker;

/// <summary>The state that connection tracking gives a TCP connection (enum tcp_conntrack, attribute CTA_PROTOINFO_TCP_STATE).</summary>
public enum TcpState : byte
{
    /// <summary>No state (TCP_CONNTRACK_NONE).</summary>
    None = 0,

    /// <summary>A SYN was seen (TCP_CONNTRACK_SYN_SENT).</summary>
    SynSent = 1,

    /// <summary>A SYN-ACK was seen (TCP_CONNTRACK_SYN_RECV).</summary>
    SynRecv = 2,

    /// <summary>The handshake is complete (TCP_CONNTRACK_ESTABLISHED).</summary>
    Established = 3,

    /// <summary>One side has sent FIN (TCP_CONNTRACK_FIN_WAIT).</summary>
    FinWait = 4,

    /// <summary>The FIN was acknowledged (TCP_CONNTRACK_CLOSE_WAIT).</summary>
    CloseWait = 5,

    /// <summary>Both sides have sent FIN (TCP_CONNTRACK_LAST_ACK).</summary>
    LastAck = 6,

    /// <summary>The last FIN was acknowledged (TCP_CONNTRACK_TIME_WAIT).</summary>
    TimeWait = 7,

    /// <summary>Closed by RST (TCP_CONNTRACK_CLOSE).</summary>
    Close = 8,

    /// <summary>Both sides have sent SYN: a simultaneous open (TCP_CONNTRACK_SYN_SENT2).</summary>
    SynSent2 = 9,
}
