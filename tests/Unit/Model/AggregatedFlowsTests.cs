using System.Net;
using Conntracker.Core.Model;
using Conntracker.Tests.Unit.Export;
using Xunit;

namespace Conntracker.Tests.Unit;

public class AggregatedFlowsTests
{
    private static readonly DateTimeOffset s_noon = new(2026, 1, 1, 12, 0, 0, TimeSpan.Zero);

    [Fact]
    public void Flows_that_become_equal_are_one_with_everything_summed_up()
    {
        Flow first = Out("8.8.8.8", 1);
        first.Packets = 3;
        first.ReplyBytes = 5;
        first.Connections = 2;
        first.FirstSeen = s_noon;
        first.LastSeen = s_noon.AddSeconds(9);
        first.State = FlowState.Closed;
        first.Verdict = FlowVerdict.Accepted;
        first.VerdictRule = "one";
        Flow second = Out("9.9.9.9", 2);
        second.Packets = 4;
        second.FirstSeen = s_noon.AddSeconds(-1);
        second.LastSeen = s_noon.AddSeconds(1);
        second.Confirmed = true;
        second.IsNat = true;
        second.Verdict = FlowVerdict.Accepted;
        second.VerdictRule = "two";

        Flow sum = Assert.Single(Fold(InternetFolding.Both, first, second));
        Assert.Equal((FlowFolding.Internet, IPAddress.Any, null), (sum.Folding, sum.DstAddress, sum.SrcPort));
        Assert.Equal((3L, 7ul, 5ul, null), (sum.Connections, sum.Packets, sum.ReplyBytes, sum.Bytes));
        Assert.Equal((s_noon.AddSeconds(-1), s_noon.AddSeconds(9)), (sum.FirstSeen, sum.LastSeen));
        Assert.Equal((true, true, FlowState.Closed), (sum.Confirmed, sum.IsNat, sum.State));
        Assert.Equal((FlowVerdict.Accepted, null), (sum.Verdict, sum.VerdictRule));
        Assert.Equal(("8.8.8.8", (ushort?)1), (first.DstAddress.ToString(), first.SrcPort));
    }

    [Theory]
    [InlineData(InternetFolding.Both, 1, 1)]
    [InlineData(InternetFolding.Out, 1, 2)]
    [InlineData(InternetFolding.In, 2, 1)]
    public void Only_the_chosen_direction_loses_its_far_address(InternetFolding folding, int outgoing, int incoming)
    {
        List<Flow> flows = Fold(folding, Out("8.8.8.8", 1), Out("9.9.9.9", 2), In("8.8.8.8", 1), In("9.9.9.9", 2));
        Assert.Equal((outgoing, incoming), (flows.Count(each => each.Direction == FlowDirection.Out), flows.Count(each => each.Direction == FlowDirection.In)));
        Assert.All(flows, each => Assert.Null(each.SrcPort));
        Assert.All(flows.Where(each => each.Folding == FlowFolding.ClientPort), each =>
            Assert.False(each.SrcAddress.Equals(IPAddress.Any) || each.DstAddress.Equals(IPAddress.Any)));
    }

    [Fact]
    public void What_lies_not_on_the_internet_keeps_its_address_and_loses_the_clients_port()
    {
        Flow sum = Assert.Single(Fold(InternetFolding.Both, In("192.168.1.1", 1), In("192.168.1.1", 2)));
        Assert.Equal((FlowFolding.ClientPort, "192.168.1.1", null, 2L), (sum.Folding, sum.SrcAddress.ToString(), sum.SrcPort, sum.Connections));
    }

    [Fact]
    public void The_hosts_own_address_is_kept_also_when_it_is_public()
    {
        Flow flow = Assert.Single(Fold(InternetFolding.Both, TreeFlows.Of(FlowDirection.In, FlowProtocol.Tcp, "8.8.8.8", 5, "1.1.1.1", 22)));
        Assert.Equal(("0.0.0.0", "1.1.1.1"), (flow.SrcAddress.ToString(), flow.DstAddress.ToString()));
    }

    [Fact]
    public void The_reply_tuple_tells_no_more_than_the_original_one()
    {
        Flow flow = Out("8.8.8.8", 5);
        flow.ReplySrcAddress = flow.DstAddress;
        flow.ReplySrcPort = flow.DstPort;
        flow.ReplyDstAddress = flow.SrcAddress;
        flow.ReplyDstPort = flow.SrcPort;
        Flow folded = InternetAggregator.Fold(flow, InternetFolding.Both);
        Assert.Equal(("0.0.0.0", (ushort?)443, "10.0.0.1", null),
            (folded.ReplySrcAddress?.ToString(), folded.ReplySrcPort, folded.ReplyDstAddress?.ToString(), folded.ReplyDstPort));
    }

    [Theory]
    [InlineData(FlowDirection.Forward)]
    [InlineData(FlowDirection.Local)]
    [InlineData(FlowDirection.Unknown)]
    public void Other_directions_are_never_folded(FlowDirection direction)
    {
        Flow flow = TreeFlows.Of(direction, FlowProtocol.Tcp, "8.8.8.8", 5, "9.9.9.9", 22);
        Assert.False(new AggregatedFlows(InternetFolding.Both).Add(flow));
        Assert.Same(flow, InternetAggregator.Fold(flow, InternetFolding.Both));
    }

    [Fact]
    public void Pings_differ_in_type_and_code_only()
    {
        List<Flow> flows = Fold(
            InternetFolding.Both,
            TreeFlows.Of(FlowDirection.Out, FlowProtocol.Icmp, "10.0.0.1", 8, "8.8.8.8", 0),
            TreeFlows.Of(FlowDirection.Out, FlowProtocol.Icmp, "10.0.0.1", 8, "9.9.9.9", 0),
            TreeFlows.Of(FlowDirection.Out, FlowProtocol.Icmp, "10.0.0.1", 13, "9.9.9.9", 0));
        Assert.Equal([2L, 1L], flows.Select(each => each.Connections));
        Assert.All(flows, each => Assert.Null(each.IcmpId));
    }

    private static Flow Out(string dst, int port) => TreeFlows.Of(FlowDirection.Out, FlowProtocol.Tcp, "10.0.0.1", port, dst, 443);

    private static Flow In(string src, int port) => TreeFlows.Of(FlowDirection.In, FlowProtocol.Tcp, src, port, "10.0.0.1", 443);

    private static List<Flow> Fold(InternetFolding folding, params Flow[] flows)
    {
        AggregatedFlows folded = new(folding);
        Assert.All(flows, each => Assert.True(folded.Add(each)));
        return [.. folded.All];
    }
}
