using Xunit;

namespace Conntracker.Tests.Unit;

/// <summary>The states of SCTP and DCCP as their packets show them, in the words of connection tracking.</summary>
public class AssociationTests
{
    private const string SctpOpen = "a:INIT b:INIT_ACK a:COOKIE_ECHO b:COOKIE_ACK";
    private const string DccpOpen = "a:REQUEST b:RESPONSE a:ACK b:ACK";

    [Theory]
    [InlineData("begun", "a:INIT", "CookieWait New 1x 1/0")]
    [InlineData("answered", "a:INIT b:INIT_ACK", "CookieWait Replied 1x 1/1")]
    [InlineData("a cookie on its way back", "a:INIT b:INIT_ACK a:COOKIE_ECHO", "CookieEchoed Replied 1x 2/1")]
    [InlineData("open", SctpOpen, "Established Assured 1x 2/2")]
    [InlineData("data", SctpOpen + " a:DATA b:SACK", "Established Assured 1x 3/3")]
    [InlineData("heartbeats", SctpOpen + " a:HEARTBEAT b:HEARTBEAT_ACK", "Established Assured 1x 3/3")]
    [InlineData("an answer sent again when open", SctpOpen + " b:INIT_ACK b:COOKIE_ACK a:DATA", "Established Assured 1x 3/4")]
    [InlineData("begun anew while open", SctpOpen + " a:INIT b:INIT_ACK a:COOKIE_ECHO", "Established Assured 1x 4/3")]
    [InlineData("shutdown by the originator", SctpOpen + " a:SHUTDOWN", "ShutdownSent Assured 1x 3/2")]
    [InlineData("shutdown by the other side", SctpOpen + " b:SHUTDOWN", "ShutdownRecd Assured 1x 2/3")]
    [InlineData("shutdown acknowledged", SctpOpen + " a:SHUTDOWN b:SHUTDOWN_ACK a:SHUTDOWN", "ShutdownAckSent Assured 1x 4/3")]
    [InlineData("shut down", SctpOpen + " a:SHUTDOWN b:SHUTDOWN_ACK a:SHUTDOWN_COMPLETE", "Closed Closed 1x 4/3")]
    [InlineData("late packets after the end", SctpOpen + " a:ABORT b:COOKIE_ACK b:DATA b:SHUTDOWN", "Closed Closed 1x 3/5")]
    [InlineData("aborted", SctpOpen + " b:ABORT", "Closed Closed 1x 2/3")]
    [InlineData("refused", "a:INIT b:ABORT", "Closed Closed 1x 1/1")]
    [InlineData("again after the end", SctpOpen + " a:ABORT a:INIT", "CookieWait New 2x 4/2")]
    [InlineData("picked up at the answer", "b:INIT_ACK a:COOKIE_ECHO b:COOKIE_ACK", "Established Assured 1x 1/2")]
    [InlineData("picked up at the cookie's answer", "b:COOKIE_ACK a:DATA", "Established Assured 1x 1/1")]
    [InlineData("picked up by data", "a:DATA b:SACK", "Established Assured 1x 1/1")]
    [InlineData("picked up by a heartbeat", "a:HEARTBEAT a:HEARTBEAT", "HeartbeatSent New 1x 2/0")]
    [InlineData("picked up by a heartbeat that is answered", "a:HEARTBEAT b:HEARTBEAT_ACK", "Established Assured 1x 1/1")]
    [InlineData("picked up by a heartbeat, then data", "a:HEARTBEAT a:DATA b:SACK", "Established Assured 1x 2/1")]
    [InlineData("idle for 211 seconds", SctpOpen + " +211 |", "Established Closed 1x 2/2")]
    [InlineData("idle in the handshake", "a:INIT +4 |", "CookieWait Closed 1x 1/0")]
    public void An_association_has_the_state_that_its_chunks_tell(string what, string script, string expected)
    {
        using PacketProbe probe = new();
        probe.Play(FlowProtocol.Sctp, script);
        Flow flow = probe.Flow();
        Check(what, flow, $"{flow.SctpState} {Tell(flow)}", expected);
    }

    [Theory]
    [InlineData("begun", "a:REQUEST", "Request New 1x 1/0")]
    [InlineData("begun again", "a:REQUEST a:REQUEST", "Request New 1x 2/0")]
    [InlineData("answered", "a:REQUEST b:RESPONSE", "Respond Replied 1x 1/1")]
    [InlineData("a request sent again after the answer", "a:REQUEST b:RESPONSE a:REQUEST a:ACK b:ACK", "Open Assured 1x 3/2")]
    [InlineData("an answer sent again when open", DccpOpen + " b:RESPONSE", "Open Assured 1x 2/3")]
    [InlineData("acknowledged", "a:REQUEST b:RESPONSE a:ACK", "PartOpen Replied 1x 2/1")]
    [InlineData("open", DccpOpen, "Open Assured 1x 2/2")]
    [InlineData("asked to close", DccpOpen + " b:CLOSEREQ b:DATA", "CloseReq Assured 1x 2/4")]
    [InlineData("closing", DccpOpen + " b:CLOSEREQ a:CLOSE a:DATA", "Closing Assured 1x 4/3")]
    [InlineData("asked to close while closing", DccpOpen + " a:CLOSE b:CLOSEREQ", "Closing Assured 1x 3/3")]
    [InlineData("closed", DccpOpen + " a:CLOSE b:RESET", "TimeWait Closed 1x 3/3")]
    [InlineData("refused", "a:REQUEST b:RESET", "TimeWait Closed 1x 1/1")]
    [InlineData("late packets after the end", DccpOpen + " a:CLOSE b:RESET a:CLOSE a:DATA b:RESPONSE", "TimeWait Closed 1x 5/4")]
    [InlineData("again after the end", DccpOpen + " a:CLOSE b:RESET a:REQUEST", "Request New 2x 4/3")]
    [InlineData("picked up at the answer", "b:RESPONSE a:ACK b:DATA", "Open Assured 1x 1/2")]
    [InlineData("picked up by data", "a:DATA b:ACK", "Open Assured 1x 1/1")]
    [InlineData("idle while closing", DccpOpen + " a:CLOSE +65 |", "Closing Closed 1x 3/2")]
    public void A_connection_of_DCCP_has_the_state_that_its_packets_tell(string what, string script, string expected)
    {
        using PacketProbe probe = new();
        probe.Play(FlowProtocol.Dccp, script);
        Flow flow = probe.Flow();
        Check(what, flow, $"{flow.DccpState} {Tell(flow)}", expected);
    }

    private static void Check(string what, Flow flow, string told, string expected)
    {
        Assert.Equal((40000, 443), ((int)flow.SrcPort!, (int)flow.DstPort!));
        Assert.True(expected == told, $"{what}: {told}, not {expected}");
    }

    private static string Tell(Flow flow) => $"{flow.State} {flow.Connections}x {flow.Packets}/{flow.ReplyPackets}";
}
