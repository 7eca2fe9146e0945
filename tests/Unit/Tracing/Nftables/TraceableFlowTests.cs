using System.Net;
using Conntracker.Core.Tracing.Nftables;
using Xunit;

namespace Conntracker.Tests.Unit.Firewall;

/// <summary>What is refused before the kernel is asked to trace it.</summary>
public sealed class TraceableFlowTests
{
    public static TheoryData<string, Flow, bool> Flows => new()
    {
        { "a TCP flow", Exact(FlowProtocol.Tcp), true },
        { "a ping", Exact(FlowProtocol.Icmp), true },
        { "a flow without ports", Exact(FlowProtocol.Gre), true },
        { "a folded flow", Change(Exact(FlowProtocol.Tcp), flow => flow.Folding = FlowFolding.ClientPort), false },
        { "a flow without its port", Change(Exact(FlowProtocol.Udp), flow => flow.SrcPort = null), false },
        { "a ping without its id", Change(Exact(FlowProtocol.IcmpV6), flow => flow.IcmpId = null), false },
        { "a flow of a text log", Change(Exact(FlowProtocol.Tcp), flow => flow.ReplySrcAddress = null), false },
        { "a flow that somebody made", new Flow(), false },
    };

    public static TheoryData<string, FlowQuery, bool> Queries => new()
    {
        { "a port", new FlowQuery { DstPorts = [PortRange.Parse("22")] }, true },
        { "both families", new FlowQuery { SrcAddresses = [AddressRange.Parse("10.0.0.0/8"), AddressRange.Parse("2001:db8::/32")] }, true },
        { "a protocol that is kept, and one that is not", new FlowQuery { Protocols = [FlowProtocol.Tcp, FlowProtocol.Icmp] }, true },
        { "a protocol that is not kept", new FlowQuery { Protocols = [FlowProtocol.Icmp] }, false },
        { "addresses of two families", new FlowQuery { SrcAddresses = [AddressRange.Parse("10.0.0.1")], DstAddresses = [AddressRange.Parse("::1")] }, false },
        { "ports of a protocol without", new FlowQuery { Protocols = [FlowProtocol.Gre], DstPorts = [PortRange.Parse("22")] }, false },
        { "more rules than one trace may have", new FlowQuery { SrcPorts = [.. Ports(17)], DstPorts = [.. Ports(17)] }, false },
    };

    [Theory]
    [MemberData(nameof(Flows))]
    public void A_flow_that_does_not_tell_what_its_packets_look_like_is_not_taken_for_another(string name, Flow flow, bool isTraceable)
    {
        string? reason = TraceSelector.WhyNot(flow);
        Assert.True(isTraceable == reason is null, $"{name}: {reason ?? "accepted"}");
    }

    [Theory]
    [MemberData(nameof(Queries))]
    public void A_query_that_no_flow_can_match_is_told_instead_of_waited_for(string name, FlowQuery query, bool isTraceable)
    {
        Exception? error = Record.Exception(() => TraceSelector.Check(query, kept: [FlowProtocol.Tcp, FlowProtocol.Udp, FlowProtocol.Gre]));
        Assert.True(isTraceable == error is null, $"{name}: {error?.Message ?? "accepted"}");
        Assert.True(error is null or ArgumentException);
    }

    private static IEnumerable<PortRange> Ports(int count) => Enumerable.Range(1, count).Select(each => PortRange.Parse($"{each}"));

    private static Flow Change(Flow flow, Action<Flow> change)
    {
        change(flow);
        return flow;
    }

    private static Flow Exact(FlowProtocol protocol)
    {
        bool hasPorts = protocol is FlowProtocol.Tcp or FlowProtocol.Udp;
        bool isIcmp = protocol is FlowProtocol.Icmp or FlowProtocol.IcmpV6;
        IPAddress client = IPAddress.Parse("10.0.0.1");
        IPAddress server = IPAddress.Parse("10.0.0.2");
        return new Flow
        {
            Protocol = protocol,
            Family = FlowFamily.IPv4,
            SrcAddress = client,
            SrcPort = hasPorts ? (ushort)40000 : null,
            DstAddress = server,
            DstPort = hasPorts ? (ushort)80 : null,
            IcmpId = isIcmp ? (ushort)7 : null,
            ReplySrcAddress = server,
            ReplyDstAddress = client,
        };
    }
}
