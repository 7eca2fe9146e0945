using System.Net;
using Xunit;

namespace Conntracker.Tests.Unit;

/// <summary>The flow limit holds for packets, and what was counted stays counted.</summary>
public class PacketFlowLimitTests
{
    private const int Limit = CaptureOptions.MinimumOfMaximumFlows;

    [Fact]
    public void Many_more_tuples_than_the_limit_are_folded_and_no_packet_or_byte_is_lost()
    {
        const int Tuples = 50_000;
        using PacketProbe probe = new();
        (ulong packets, ulong bytes) = (0, 0);
        for (int i = 0; i < Tuples; i++)
        {
            string client = new IPAddress([10, (byte)(i >> 8), (byte)i, 1]).ToString();
            Conversation talk = (i % 4) switch
            {
                0 => new(FlowProtocol.Tcp) { A = client, APort = 2000 + (i % 50_000), BPort = 400 + (i % 7) },
                1 => new(FlowProtocol.Udp) { A = client, APort = 2000 + (i % 50_000), B = $"198.51.100.{i % 250}", BPort = 53 },
                2 => new(FlowProtocol.Icmp) { A = client, APort = i },
                _ => new(FlowProtocol.Gre) { A = client },
            };
            foreach (byte[] packet in (byte[][])[talk.Build(i % 4 == 0 ? "a:S" : "a:8"), talk.Build(i % 4 == 0 ? "b:SA" : "b:0")])
            {
                probe.Put(packet);
                packets++;
                bytes += (ulong)packet.Length;
            }

            probe.Wait(0.001);
        }

        List<Flow> flows = probe.Flows();
        Assert.InRange(flows.Count, 1, Limit);
        Assert.Equal(packets, Sum(flows, each => each.Packets + each.ReplyPackets));
        Assert.Equal(bytes, Sum(flows, each => each.Bytes + each.ReplyBytes));
        Assert.Equal(Tuples, flows.Sum(each => each.Connections));
        Assert.Equal(Tuples - flows.Count, probe.Counters.Folded);

        probe.Wait(6 * 24 * 60 * 60);
        probe.Flush();
        Assert.All(probe.Flows(), each => Assert.Equal(FlowState.Closed, each.State));
    }

    [Fact]
    public void A_folded_flow_stays_closed_when_closed_ones_are_folded_into_it()
    {
        using PacketProbe probe = new();
        PutClients(probe, FlowProtocol.Udp, 0, Limit + 1);
        probe.Wait(31);
        probe.Flush();
        PutClients(probe, FlowProtocol.Udp, Limit + 1, 200);
        Flow folded = probe.Flows().Single(each => each.Folding != FlowFolding.None);
        Assert.InRange(folded.Connections, 100, 400);
        Assert.Equal(FlowState.Closed, folded.State);
    }

    [Fact]
    public void A_folded_flow_that_was_closed_opens_again_with_its_next_packet()
    {
        // Without ports the folded flow has the very tuple of the packets.
        using PacketProbe probe = new();
        PutClients(probe, FlowProtocol.Gre, 0, Limit + 1);
        probe.Wait(181);
        probe.Flush();
        Flow folded = probe.Flows().First(each => each.Folding == FlowFolding.ClientPort);
        Assert.Equal((FlowState.Closed, 1L), (folded.State, folded.Connections));
        new Conversation(FlowProtocol.Gre) { A = folded.SrcAddress.ToString() }.Play(probe, "a a");
        Flow again = probe.Flows().Single(each => each.SrcAddress.Equals(folded.SrcAddress));
        Assert.Equal((FlowState.New, 2L, 3ul), (again.State, again.Connections, again.Packets!.Value));
        probe.Wait(31);
        probe.Flush();
        Assert.Equal(FlowState.Closed, probe.Flows().Single(each => each.SrcAddress.Equals(folded.SrcAddress)).State);
    }

    private static void PutClients(PacketProbe probe, FlowProtocol protocol, int first, int count)
    {
        for (int i = first; i < first + count; i++)
        {
            // Services of one client: a port of its own for each where there are ports, else an address.
            string client = protocol == FlowProtocol.Udp ? "192.0.2.2" : new IPAddress([10, (byte)(i >> 8), (byte)i, 1]).ToString();
            new Conversation(protocol) { A = client, APort = 2000 + i }.Play(probe, "a");
        }
    }

    private static ulong Sum(List<Flow> flows, Func<Flow, ulong?> count) => flows.Aggregate(0ul, (sum, each) => sum + count(each)!.Value);
}
