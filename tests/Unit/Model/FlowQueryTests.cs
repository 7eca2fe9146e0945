using Conntracker.Core.Flows;
using Xunit;

namespace Conntracker.Tests.Unit;

public class FlowQueryTests
{
    public static TheoryData<string, FlowQuery, string> Queries => new()
    {
        { "nothing asked", FlowQuery.All, "tcp udp icmp v6" },
        { "a protocol", new FlowQuery { Protocols = [FlowProtocol.Udp] }, "udp" },
        { "one of two protocols", new FlowQuery { Protocols = [FlowProtocol.Udp, FlowProtocol.Icmp] }, "udp icmp" },
        { "a source", new FlowQuery { SrcAddresses = [AddressRange.Parse("192.0.2.0/24")] }, "tcp icmp" },
        { "a source of the other family", new FlowQuery { SrcAddresses = [AddressRange.Parse("::/0")] }, "v6" },
        { "one of two destinations",
            new FlowQuery { DstAddresses = [AddressRange.Parse("198.51.100.2"), AddressRange.Parse("2001:db8::/32")] }, "tcp icmp v6" },
        { "a source port", new FlowQuery { SrcPorts = [PortRange.Parse("40000-40001")] }, "tcp udp" },
        { "any port: not what has none", new FlowQuery { DstPorts = [PortRange.Parse("0-65535")] }, "tcp udp v6" },
        { "one of two destination ports", new FlowQuery { DstPorts = [PortRange.Parse("53"), PortRange.Parse("443")] }, "tcp udp" },
        { "a state", new FlowQuery { States = [FlowState.Replied] }, "udp" },
        { "one of two states", new FlowQuery { States = [FlowState.Closed, FlowState.Replied] }, "udp v6" },
        { "since the second", new FlowQuery { Since = CollectorProbe.Start.AddSeconds(2) }, "udp icmp v6" },
        { "since just after the last", new FlowQuery { Since = CollectorProbe.Start.AddSeconds(5).AddTicks(1) }, "" },
        { "all must hold", new FlowQuery { Protocols = [FlowProtocol.Tcp], DstPorts = [PortRange.Parse("53")] }, "" },
        { "all hold", new FlowQuery { Protocols = [FlowProtocol.Tcp], DstPorts = [PortRange.Parse("443")], States = [FlowState.New] }, "tcp" },
    };

    [Theory]
    [MemberData(nameof(Queries))]
    public void A_query_finds_what_it_asks_for_and_nothing_else(string name, FlowQuery query, string expected)
    {
        using CollectorProbe probe = new();
        probe.Event(new Conn().New());
        probe.Event(new Conn
        {
            Protocol = FlowProtocol.Udp,
            Src = "203.0.113.1",
            SrcPort = 40001,
            Dst = "203.0.113.2",
            DstPort = 53,
            Status = Conn.Replied
        }.New());
        probe.Event(new Conn { Protocol = FlowProtocol.Icmp }.New());
        Conn v6 = new() { Src = "2001:db8::2", SrcPort = 50000, Dst = "2001:db8::1", DstPort = 8443 };
        probe.Event(v6.New());
        probe.Event(v6.Destroy());

        using Conntracker.FlowSnapshot snapshot = probe.Collector.Snapshot();
        string[] names = ["tcp", "udp", "icmp", "v6"];
        string found = string.Join(' ', names.Where((_, slot) => query.Matches(in snapshot[slot])));
        Assert.True(expected == found, $"{name}: {found}");
    }

    [Fact]
    public void A_query_says_in_words_what_it_asks_for()
    {
        FlowQuery query = new()
        {
            Protocols = [FlowProtocol.Tcp, FlowProtocol.Udp],
            SrcAddresses = [AddressRange.Parse("192.0.2.0/24")],
            DstPorts = [PortRange.Parse("443"), PortRange.Parse("8000-8080")],
            Verdicts = [FlowVerdict.Dropped],
        };
        Assert.Equal("protocol Tcp or Udp, from 192.0.2.0/24, to port 443 or 8000-8080, verdict Dropped", query.ToString());
        Assert.Equal("every flow", FlowQuery.All.ToString());
    }

    [Theory]
    [InlineData(FlowVerdict.Unknown, false)]
    [InlineData(FlowVerdict.Accepted, false)]
    [InlineData(FlowVerdict.Dropped, true)]
    [InlineData(FlowVerdict.Rejected, true)]
    public void Of_several_verdicts_one_must_hold(FlowVerdict verdict, bool expected)
    {
        using CollectorProbe probe = new();
        probe.Event(new Conn().New());
        using Conntracker.FlowSnapshot snapshot = probe.Collector.Snapshot();
        FlowQuery query = new() { Verdicts = [FlowVerdict.Dropped, FlowVerdict.Rejected] };
        Assert.Equal(expected, query.Matches(in snapshot[0], verdict));
        Assert.True(FlowQuery.All.Matches(in snapshot[0], verdict));
    }
}
