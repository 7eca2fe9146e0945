using Conntracker.Core.Flows;
using static Conntracker.Core.Native.ConntrackConstants;

namespace Conntracker.Core.Packets;

/// <summary>
/// The idle time after which a connection counts as gone: the kernel's defaults for connection tracking
/// (/proc/sys/net/netfilter/nf_conntrack_*_timeout_*), which are missing on hosts without it.
/// </summary>
internal static class FlowTimeouts
{
    private const int Generic = 600;
    private const int Icmp = 30;
    private const int Datagram = 30;
    private const int DatagramStream = 120;
    private const int Gre = 30;
    private const int GreStream = 180;
    private const int TcpUnacknowledged = 300;
    private const int Day = 24 * 60 * 60;

    /// <summary>The timeout of a flow in its current state, in ticks.</summary>
    public static long Of(ref readonly FlowRecord record)
    {
        bool isAssured = (record.Status & IPS_ASSURED) != 0;
        int seconds = record.Key.Protocol switch
        {
            FlowProtocol.Tcp => Of((TcpState)record.ProtocolState, isAssured),
            FlowProtocol.Udp or FlowProtocol.UdpLite => isAssured ? DatagramStream : Datagram,
            FlowProtocol.Icmp or FlowProtocol.IcmpV6 => Icmp,
            FlowProtocol.Gre => isAssured ? GreStream : Gre,
            FlowProtocol.Sctp => Of((SctpState)record.ProtocolState),
            FlowProtocol.Dccp => Of((DccpState)record.ProtocolState),
            _ => Generic,
        };
        return seconds * TimeSpan.TicksPerSecond;
    }

    private static int Of(TcpState state, bool isAssured) => state switch
    {
        TcpState.SynRecv or TcpState.CloseWait => 60,
        TcpState.Established => isAssured ? 5 * Day : TcpUnacknowledged,
        TcpState.LastAck => 30,
        TcpState.Close => 10,
        _ => 120,
    };

    private static int Of(SctpState state) => state switch
    {
        SctpState.Established => 210,
        SctpState.HeartbeatSent => 30,
        SctpState.Closed => 10,
        _ => 3,
    };

    private static int Of(DccpState state) => state switch
    {
        DccpState.Request or DccpState.TimeWait => 240,
        DccpState.Open => Day / 2,
        DccpState.CloseReq or DccpState.Closing => 64,
        _ => 480,
    };
}
