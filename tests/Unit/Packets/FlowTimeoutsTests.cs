using Conntracker.Core.Flows;
using Conntracker.Core.Packets;
using Xunit;
using static Conntracker.Core.Native.ConntrackConstants;

namespace Conntracker.Tests.Unit;

/// <summary>
/// After how long a silent flow is gone, against the kernel's defaults as its sources and /proc/sys/net/netfilter have them
/// (nf_conntrack_proto_*.c), in seconds.
/// </summary>
public class FlowTimeoutsTests
{
    [Theory]
    [InlineData(TcpState.SynSent, false, 120)]
    [InlineData(TcpState.SynSent2, false, 120)]
    [InlineData(TcpState.SynRecv, false, 60)]
    [InlineData(TcpState.Established, true, 432_000)]
    [InlineData(TcpState.Established, false, 300)]
    [InlineData(TcpState.FinWait, true, 120)]
    [InlineData(TcpState.CloseWait, true, 60)]
    [InlineData(TcpState.LastAck, true, 30)]
    [InlineData(TcpState.TimeWait, true, 120)]
    [InlineData(TcpState.Close, true, 10)]
    public void Of_TCP(TcpState state, bool isAssured, int seconds) => Check(FlowProtocol.Tcp, (byte)state, isAssured, seconds);

    [Theory]
    [InlineData(SctpState.Closed, 10)]
    [InlineData(SctpState.CookieWait, 3)]
    [InlineData(SctpState.CookieEchoed, 3)]
    [InlineData(SctpState.Established, 210)]
    [InlineData(SctpState.ShutdownSent, 3)]
    [InlineData(SctpState.ShutdownRecd, 3)]
    [InlineData(SctpState.ShutdownAckSent, 3)]
    [InlineData(SctpState.HeartbeatSent, 30)]
    public void Of_SCTP(SctpState state, int seconds) => Check(FlowProtocol.Sctp, (byte)state, isAssured: true, seconds);

    [Theory]
    [InlineData(DccpState.Request, 240)]
    [InlineData(DccpState.Respond, 480)]
    [InlineData(DccpState.PartOpen, 480)]
    [InlineData(DccpState.Open, 43_200)]
    [InlineData(DccpState.CloseReq, 64)]
    [InlineData(DccpState.Closing, 64)]
    [InlineData(DccpState.TimeWait, 240)]
    public void Of_DCCP(DccpState state, int seconds) => Check(FlowProtocol.Dccp, (byte)state, isAssured: true, seconds);

    [Theory]
    [InlineData(FlowProtocol.Udp, false, 30)]
    [InlineData(FlowProtocol.Udp, true, 120)]
    [InlineData(FlowProtocol.UdpLite, false, 30)]
    [InlineData(FlowProtocol.UdpLite, true, 120)]
    [InlineData(FlowProtocol.Icmp, true, 30)]
    [InlineData(FlowProtocol.IcmpV6, true, 30)]
    [InlineData(FlowProtocol.Gre, false, 30)]
    [InlineData(FlowProtocol.Gre, true, 180)]
    [InlineData(FlowProtocol.Esp, true, 600)]
    [InlineData(FlowProtocol.Ospf, false, 600)]
    [InlineData((FlowProtocol)253, false, 600)]
    public void Of_protocols_without_states(FlowProtocol protocol, bool isAssured, int seconds) => Check(protocol, 0, isAssured, seconds);

    private static void Check(FlowProtocol protocol, byte state, bool isAssured, int seconds)
    {
        FlowRecord record = default;
        record.Key.Protocol = protocol;
        record.ProtocolState = state;
        record.Status = isAssured ? IPS_ASSURED : 0u;
        Assert.Equal(TimeSpan.FromSeconds(seconds).Ticks, FlowTimeouts.Of(in record));
    }
}
