using System.Net;
using Conntracker.Core.Native;
using Xunit;

namespace Conntracker.Tests.Unit;

/// <summary>At the flow limit: which flows are folded, and that no service and no connection is lost.</summary>
public sealed class FlowAggregatorTests : IDisposable
{
    private const int Limit = CaptureOptions.MinimumOfMaximumFlows;
    private readonly CollectorProbe _probe = new(Limit);

    public void Dispose() => _probe.Dispose();

    [Fact]
    public void A_long_capture_stays_within_its_limit_and_loses_no_connection_and_no_service()
    {
        const int Count = 6000;
        for (int i = 0; i < Count; i++)
        {
            Conn conn = Client(i) with { DstPort = (ushort)(1 + (i % 20)) };
            _probe.Event(conn.New());
            Assert.True(_probe.Collector.FlowCount <= Limit, $"{_probe.Collector.FlowCount} flows after {i + 1} connections.");
            _probe.Event((conn with { Counters = Conn.Count(2, 200, 1, 100) }).Destroy());
        }

        List<Flow> flows = _probe.Flows();
        Assert.Equal((Count, 2ul * Count, 100ul * Count), (Connections(flows), Sum(flows, each => each.Packets), Sum(flows, each => each.ReplyBytes)));
        Assert.Equal(Enumerable.Range(1, 20), flows.Select(each => (int)each.DstPort!.Value).Distinct().Order());
        Assert.Equal(Count - flows.Count, _probe.Counters.Folded);
        Assert.All(flows, each => Assert.Equal(FlowState.Closed, each.State));
    }

    [Fact]
    public void The_oldest_closed_flows_are_folded_first()
    {
        for (int port = 2000; port < 2000 + Limit; port++)
        {
            Conn conn = new() { SrcPort = (ushort)port };
            _probe.Event(conn.New());
            _probe.Event(conn.Destroy());
        }

        _probe.Event(new Conn { SrcPort = 60000 }.New());
        List<Flow> flows = _probe.Flows();
        Flow service = Assert.Single(flows, each => each.Folding == FlowFolding.ClientPort);
        Assert.Null(service.SrcPort);
        Assert.Equal(CollectorProbe.Start.AddSeconds(1), service.FirstSeen);
        Assert.InRange(service.Connections, Limit / 16, Limit / 8);
        Assert.Equal(
            Enumerable.Range(2000 + (int)service.Connections, Limit - (int)service.Connections),
            flows.Where(each => each.SrcPort is not null and not 60000).Select(each => (int)each.SrcPort!.Value).Order());
    }

    [Fact]
    public void Open_flows_keep_their_ports_while_there_are_closed_ones_to_fold()
    {
        const int Open = 500;
        for (int i = 0; i < Limit + 400; i++)
        {
            Conn conn = new() { SrcPort = (ushort)(2000 + i) };
            _probe.Event(conn.New());
            if (i >= Open)
            {
                _probe.Event(conn.Destroy());
            }
        }

        Assert.Equal(Open, _probe.Flows().Count(each => each.State == FlowState.New && each.Folding == FlowFolding.None));
    }

    [Fact]
    public void Closed_flows_that_fold_are_folded_before_any_service_is_given_up()
    {
        // The oldest are all of different services: to fold them frees nothing, but the younger ones fold into one.
        const int Services = 100;
        for (int i = 0; i <= Limit; i++)
        {
            Conn conn = i < Services ? Client(i) with { DstPort = (ushort)(1 + i) } : new() { SrcPort = (ushort)(2000 + i), DstPort = 9999 };
            _probe.Event(conn.New());
            _probe.Event(conn.Destroy());
        }

        List<Flow> flows = _probe.Flows();
        Assert.DoesNotContain(flows, each => each.Folding >= FlowFolding.Client);
        Assert.Equal(Services + 1, flows.Select(each => each.DstPort).Distinct().Count());
    }

    [Theory]
    [InlineData(1023, 1023)]
    [InlineData(1024, null)]
    public void A_low_client_port_tells_a_service_and_is_kept(int port, int? expected)
    {
        // The oldest cannot be folded into each other; there are enough that can.
        const int Clients = 200;
        for (int i = 0; i <= Limit; i++)
        {
            Conn conn = i < Clients ? new() { Src = Address(0x0a000000 + i), SrcPort = (ushort)port } : new() { SrcPort = (ushort)(2000 + i) };
            _probe.Event(conn.New());
            _probe.Event(conn.Destroy());
        }

        List<Flow> folded = _probe.Flows().FindAll(each => each.Folding == FlowFolding.ClientPort && !each.SrcAddress.Equals(IPAddress.Parse("192.0.2.2")));
        Assert.Equal(Clients, folded.Count);
        Assert.All(folded, each => Assert.Equal(expected, each.SrcPort));
    }

    [Fact]
    public void A_flood_from_forged_addresses_against_one_service_loses_no_service()
    {
        const int Flood = 20_000;
        const int Services = 10;
        Random random = new(1);
        for (int i = 0; i < Flood; i++)
        {
            Conn conn = i < Services
                ? new Conn { DstPort = (ushort)(1 + i) }
                : new Conn { Src = Address(random.Next()), SrcPort = (ushort)random.Next(65536), DstPort = 80 };
            _probe.Event(conn.New());
            Assert.True(_probe.Collector.FlowCount <= Limit);
        }

        List<Flow> flows = _probe.Flows();
        Assert.Equal(Flood, Connections(flows));
        Assert.Equal([.. Enumerable.Range(1, Services), 80], flows.Select(each => (int)each.DstPort!.Value).Distinct().Order());
        Flow service = Assert.Single(flows, each => each.Folding == FlowFolding.Client && each.DstPort == 80);
        Assert.Equal(IPAddress.Any, service.SrcAddress);
        Assert.DoesNotContain(flows, each => each.Folding == FlowFolding.Protocol);
    }

    [Fact]
    public void A_port_scan_from_forged_addresses_cannot_grow_the_table()
    {
        const int Scan = 30_000;
        Random random = new(2);
        for (int i = 0; i < Scan; i++)
        {
            FlowProtocol protocol = i % 2 == 0 ? FlowProtocol.Tcp : FlowProtocol.Udp;
            _probe.Event(new Conn { Protocol = protocol, Src = Address(random.Next()), DstPort = (ushort)i }.New());
            Assert.True(_probe.Collector.FlowCount <= Limit);
        }

        List<Flow> flows = _probe.Flows();
        Assert.Equal(Scan, Connections(flows));
        Assert.Equal(
            [FlowProtocol.Tcp, FlowProtocol.Udp], flows.Where(each => each.Folding == FlowFolding.Protocol).Select(each => each.Protocol).Order());
    }

    [Theory]
    [InlineData("open", 900)]
    [InlineData("open", 1500)]
    [InlineData("open", 20_000)]
    [InlineData("closed", 1500)]
    [InlineData("closed", 20_000)]
    public void Forged_packets_that_nobody_answers_take_no_answered_flow_from_the_table(string kind, int forged)
    {
        const int Clients = 100;
        const int Services = 5;
        Conn[] legitimate = [.. Enumerable.Range(0, Clients).Select(i => new Conn
        {
            Src = Address(0x0a010000 + i), SrcPort = (ushort)(40000 + i), DstPort = (ushort)(1 + (i % Services)), Id = (uint)i + 1,
        })];
        foreach (Conn conn in legitimate)
        {
            _probe.Event(conn.New());
            _probe.Event((conn with { Status = Conn.Replied | ConntrackConstants.IPS_ASSURED, State = 3 }).Update());
            _probe.Event((conn with { Status = Conn.Replied | ConntrackConstants.IPS_ASSURED }).Destroy());
        }

        Random random = new(3);
        for (int i = 0; i < forged; i++)
        {
            Conn conn = new()
            {
                Src = Address(random.Next()),
                SrcPort = (ushort)random.Next(65536),
                Dst = Address(random.Next()),
                DstPort = (ushort)random.Next(65536)
            };
            _probe.Event(conn.New());
            if (kind == "closed")
            {
                _probe.Event(conn.Destroy());
            }

            Assert.True(_probe.Collector.FlowCount <= Limit);
        }

        List<Flow> flows = _probe.Flows();
        List<Flow> answered = flows.FindAll(each => each.Confirmed);
        Assert.Equal(legitimate.Select(each => each.Src).Order(), answered.Select(each => each.SrcAddress.ToString()).Order());
        Assert.All(answered, each => Assert.Equal(FlowFolding.None, each.Folding));
        Assert.Equal(Enumerable.Range(1, Services), answered.Select(each => (int)each.DstPort!.Value).Distinct().Order());
        Assert.Equal(Clients + forged, Connections(flows));
    }

    [Fact]
    public void Zones_and_families_are_folded_apart()
    {
        for (int i = 0; i < 3 * Limit; i++)
        {
            Conn conn = i % 3 == 0 ? new() { Zone = 7 } : i % 3 == 1 ? new() { Src = "2001:db8::2", Dst = "2001:db8::1" } : new();
            _probe.Event((conn with { SrcPort = (ushort)(2000 + i) }).Destroy());
        }

        List<Flow> folded = _probe.Flows().FindAll(each => each.Folding == FlowFolding.ClientPort);
        Assert.Equal(3, folded.Count);
        Assert.Equal(3 * Limit, Connections(_probe.Flows()));
        Assert.Single(folded, each => each.Zone == 7);
        Assert.Single(folded, each => each.Family == FlowFamily.IPv6);
    }

    private static Conn Client(int number) => new() { Src = Address(0x0a000000 + (number / 200)), SrcPort = (ushort)(2000 + number) };

    private static string Address(int bits) => new IPAddress(BitConverter.GetBytes(IPAddress.HostToNetworkOrder(bits))).ToString();

    private static long Connections(List<Flow> flows) => flows.Sum(each => each.Connections);

    private static ulong Sum(List<Flow> flows, Func<Flow, ulong?> counter) =>
        flows.Aggregate(0ul, (sum, each) => sum + (counter(each) ?? 0));
}
