using Conntracker.Core.Packets;
using Xunit;

namespace Conntracker.Tests.Unit;

/// <summary>A TCP connection's state as its packets show it. Scripts are those of <see cref="Conversation"/>: 40000 at a, 443 at b.</summary>
public class TcpConnectionTests
{
    private const string Open = "a:S b:SA a:A";

    [Theory]
    [InlineData("a SYN alone", "a:S", "SynSent New 1x 1/0")]
    [InlineData("a SYN sent again", "a:S a:S a:S", "SynSent New 1x 3/0")]
    [InlineData("a SYN that was answered", "a:S b:SA", "SynRecv Replied 1x 1/1")]
    [InlineData("an answer sent again", "a:S b:SA b:SA", "SynRecv Replied 1x 1/2")]
    [InlineData("the whole handshake", Open, "Established Assured 1x 2/1")]
    [InlineData("data in both directions", Open + " a:PA b:A b:PA a:A", "Established Assured 1x 4/3")]
    [InlineData("a SYN sent again in an open connection", Open + " a:S b:A", "Established Assured 1x 3/2")]
    [InlineData("a handshake without its last packet", "a:S b:SA a:PA", "Established Assured 1x 2/1")]
    [InlineData("a handshake without its answer", "a:S a:A b:PA", "Established Assured 1x 2/1")]
    [InlineData("both begin at once", "a:S b:S", "SynSent2 Replied 1x 1/1")]
    [InlineData("both begin at once, one has answered", "a:S b:S a:SA", "SynRecv Replied 1x 2/1")]
    [InlineData("both begin at once and answer", "a:S b:S a:SA b:SA a:A b:A", "Established Assured 1x 3/3")]
    [InlineData("refused", "a:S b:RA", "Close Closed 1x 1/1")]
    [InlineData("given up by the originator", "a:S b:SA a:R", "Close Closed 1x 2/1")]
    [InlineData("reset by the originator", Open + " a:R", "Close Closed 1x 3/1")]
    [InlineData("reset by the other side", Open + " b:RA", "Close Closed 1x 2/2")]
    [InlineData("FIN of the originator", Open + " a:FA", "FinWait Assured 1x 3/1")]
    [InlineData("FIN of the other side", Open + " b:FA", "FinWait Assured 1x 2/2")]
    [InlineData("FIN sent again", Open + " a:FA a:FA", "FinWait Assured 1x 4/1")]
    [InlineData("data after FIN, of who sent it", Open + " a:FA a:PA", "FinWait Assured 1x 4/1")]
    [InlineData("FIN of the originator, acknowledged", Open + " a:FA b:A", "CloseWait Assured 1x 3/2")]
    [InlineData("FIN of the other side, acknowledged", Open + " b:FA a:A", "CloseWait Assured 1x 3/2")]
    [InlineData("half closed, the other side goes on", Open + " a:FA b:A b:PA a:A b:PA a:A", "CloseWait Assured 1x 5/4")]
    [InlineData("both have sent FIN", Open + " a:FA b:A b:FA", "LastAck Assured 1x 3/3")]
    [InlineData("the last FIN sent again", Open + " a:FA b:A b:FA b:FA", "LastAck Assured 1x 3/4")]
    [InlineData("closed by the originator", Open + " a:FA b:A b:FA a:A", "TimeWait Closed 1x 4/3")]
    [InlineData("closed by the originator in three packets", Open + " a:FA b:FA a:A", "TimeWait Closed 1x 4/2")]
    [InlineData("closed by the other side", Open + " b:FA a:A a:FA b:A", "TimeWait Closed 1x 4/3")]
    [InlineData("both close at once", Open + " a:FA b:FA a:A b:A", "TimeWait Closed 1x 4/3")]
    [InlineData("late packets after the end", Open + " a:FA b:FA a:A b:PA a:A b:FA", "TimeWait Closed 1x 5/4")]
    [InlineData("late data after a reset", Open + " a:R b:PA b:FA", "Close Closed 1x 3/3")]
    [InlineData("a late reset", Open + " a:FA b:FA a:A b:R", "Close Closed 1x 4/3")]
    [InlineData("an answer sent again after the end", Open + " a:R b:SA", "Close Closed 1x 3/2")]
    [InlineData("the same ports again after the end", Open + " a:FA b:FA a:A +1 a:S", "SynSent New 2x 5/2")]
    [InlineData("the same ports again after a reset", "a:S b:RA a:S b:SA a:A", "Established Assured 2x 3/2")]
    [InlineData("the same ports again, and closed again", Open + " a:R a:S b:SA a:A a:FA", "FinWait Assured 2x 6/2")]
    [InlineData("picked up at the answer", "b:SA a:A", "Established Assured 1x 1/1")]
    [InlineData("picked up by data of the client", "a:PA b:A", "Established Assured 1x 1/1")]
    [InlineData("picked up by data of the server", "b:PA a:A", "Established Assured 1x 1/1")]
    [InlineData("picked up, one side silent", "b:PA b:PA", "Established New 1x 0/2")]
    [InlineData("picked up at the FIN of the server", "b:FA a:A", "CloseWait Replied 1x 1/1")]
    [InlineData("picked up at the end", "b:FA a:FA b:A", "TimeWait Closed 1x 1/2")]
    [InlineData("picked up at a reset", "b:RA", "Close Closed 1x 0/1")]
    [InlineData("idle in a handshake", "a:S +121 |", "SynSent Closed 1x 1/0")]
    [InlineData("not idle for long enough", "a:S +119 |", "SynSent New 1x 1/0")]
    [InlineData("again after it was idle", "a:S +121 a:S", "SynSent New 2x 2/0")]
    [InlineData("open for days", Open + " +86400 | a:PA +86400 | b:PA", "Established Assured 1x 3/2")]
    [InlineData("open, and idle for longer than five days", Open + " +432001 |", "Established Closed 1x 2/1")]
    [InlineData("picked up, one side silent, idle for five minutes", "a:PA +301 |", "Established Closed 1x 1/0")]
    public void A_connection_has_the_state_that_its_packets_tell(string what, string script, string expected)
    {
        using PacketProbe probe = new();
        probe.Play(FlowProtocol.Tcp, script);
        Flow flow = probe.Flow();
        Assert.Equal(("192.0.2.2", 40000, "198.51.100.2", 443),
            (flow.SrcAddress.ToString(), (int)flow.SrcPort!, flow.DstAddress.ToString(), (int)flow.DstPort!));
        string told = $"{flow.TcpState} {flow.State} {flow.Connections}x {flow.Packets}/{flow.ReplyPackets}";
        Assert.True(expected == told, $"{what}: {told}, not {expected}");
    }

    [Fact]
    public void Who_only_refuses_has_not_answered_and_is_no_service()
    {
        using PacketProbe probe = new();
        probe.Play(FlowProtocol.Tcp, "a:S b:RA");
        Assert.False(probe.Flow().Confirmed);

        // Had the refused port become a service, the next flow would be told from it, not from its ports.
        Conversation next = new(FlowProtocol.Tcp) { A = "198.51.100.2", APort = 50000, B = "203.0.113.1", BPort = 60000 };
        new Conversation(FlowProtocol.Tcp) { A = "192.0.2.3", APort = 40000, B = "198.51.100.2", BPort = 50000 }.Play(probe, "a:S b:RA");
        next.Play(probe, "a:PA");
        Flow flow = probe.Flows().Single(each => each.Connections == 1 && each.TcpState == TcpState.Established);
        Assert.Equal((60000, 50000), ((int)flow.SrcPort!, (int)flow.DstPort!));
    }

    [Fact]
    public void A_reset_of_an_answered_connection_leaves_it_confirmed()
    {
        using PacketProbe probe = new();
        probe.Play(FlowProtocol.Tcp, Open + " b:RA");
        Assert.True(probe.Flow().Confirmed);
    }

    [Fact]
    public void A_connection_of_the_other_side_between_the_same_ports_is_a_flow_of_its_own()
    {
        using PacketProbe probe = new();
        probe.Play(FlowProtocol.Tcp, Open + " a:FA b:FA a:A +1 b:S a:SA b:A b:PA");
        Assert.Equal(
            ["Tcp 192.0.2.2:40000 -> 198.51.100.2:443 Closed 4/2", "Tcp 198.51.100.2:443 -> 192.0.2.2:40000 Assured 3/1"],
            probe.Flows().Select(each => $"{each} {each.State} {each.Packets}/{each.ReplyPackets}").Order());
    }

    [Fact]
    public void No_order_of_packets_leads_out_of_the_states_that_there_are()
    {
        // Every flag byte in every state, from both sides: never an unknown state, and only a reset leads out of the end, into the other one.
        foreach (TcpState state in Enum.GetValues<TcpState>())
        {
            for (int flags = 0; flags < 256; flags++)
            {
                foreach (bool isReply in (bool[])[false, true])
                {
                    Conntracker.Core.Flows.SeenDirections signs = default;
                    TcpState next = TcpTracking.Next(state, (byte)flags, isReply, ref signs);
                    Assert.True(Enum.IsDefined(next) && next != TcpState.None, $"{state} {flags:x}: {next}");
                    Assert.True(!TcpTracking.HasEnded(state) || TcpTracking.HasEnded(next), $"{state} {flags:x}: {next}");
                }
            }
        }
    }
}
