using System.Net;
using Xunit;

namespace Conntracker.Tests.Unit.Policies.Trials;

/// <summary>Flows that nobody has seen: which a description makes, and which it refuses to make.</summary>
public class FlowDescriptionTests
{
    private static readonly FlowDescription s_ssh = Describe("Tcp", "203.0.113.9", "192.0.2.1") with { DstPorts = [new PortRange(22)] };

    /// <summary>Descriptions that contradict themselves, and a part of what is said about them.</summary>
    public static TheoryData<string, FlowDescription, string> Refused => new()
    {
        { "no destination port", s_ssh with { DstPorts = [] }, "Tcp has ports, and no destination port is given." },
        { "a port without ports", Describe("Gre", "203.0.113.9", "192.0.2.1") with { DstPorts = [new PortRange(22)] }, "Gre has no ports." },
        { "a source port without ports", Describe("Icmp", "203.0.113.9", "192.0.2.1") with { SrcPorts = [new PortRange(22)] }, "Icmp has no ports." },
        { "an ICMP type of TCP", s_ssh with { IcmpType = 8 }, "Tcp has no ICMP type" },
        { "an ICMP code of TCP", s_ssh with { IcmpCode = 1 }, "Tcp has no ICMP type and code" },
        { "a code without a type", Describe("Icmp", "203.0.113.9", "192.0.2.1") with { IcmpCode = 1 }, "without a type" },
        { "one type for two protocols",
            Describe("Icmp IcmpV6", "203.0.113.9 ::1", "192.0.2.1 ::1") with { IcmpType = 8 }, "one thing for Icmp and another for IcmpV6" },
        { "two families",
            Describe("Tcp", "203.0.113.9", "2001:db8::1") with { DstPorts = [new PortRange(22)] }, "The source 203.0.113.9 is IPv4, and no destination is" },
        { "a source without a partner",
            s_ssh with { SrcAddresses = [.. s_ssh.SrcAddresses, IPAddress.Parse("2001:db8::9")] }, "The source 2001:db8::9 is IPv6" },
        { "a destination without a partner",
            s_ssh with { DstAddresses = [.. s_ssh.DstAddresses, IPAddress.Parse("2001:db8::9")] }, "The destination 2001:db8::9 is IPv6" },
        { "ICMP of the other family", Describe("Icmp", "::1", "::1"), "Icmp is a protocol of IPv4, and none of the addresses is. Use IcmpV6." },
        { "ICMPv6 of the other family", Describe("IcmpV6", "127.0.0.1", "127.0.0.1"), "IcmpV6 is a protocol of IPv6, and none of the addresses is. Use Icmp." },
        { "an address that no protocol has", Describe("Icmp", "203.0.113.9 2001:db8::9", "192.0.2.1 2001:db8::1"), "Icmp is not a protocol of IPv6" },
        { "an address that is none", Describe("Icmp", "::ffff:192.0.2.1", "::1"), "Use 192.0.2.1." },
        { "an address with its interface", Describe("IcmpV6", "fe80::1%3", "fe80::2"), "fe80::1%3 names an interface" },
        { "a user who comes in", s_ssh with { UserId = 33, InInterface = "eth0" }, "A packet that comes in by eth0 has no user" },
        { "a name that is too long", s_ssh with { InInterface = "abcdefghijklmnop" }, "1 to 15 characters" },
        { "a name with a slash", s_ssh with { OutInterface = "a/b" }, "'a/b' cannot be the name of an interface" },
        { "no protocol", s_ssh with { Protocols = [] }, "No protocol is given." },
        { "no source", s_ssh with { SrcAddresses = [] }, "No source address is given." },
        { "no destination", s_ssh with { DstAddresses = [] }, "No destination address is given." },
    };

    [Theory]
    [MemberData(nameof(Refused))]
    public void What_contradicts_itself_is_refused_before_the_first_flow(string name, FlowDescription description, string expected)
    {
        Assert.NotEmpty(name);
        Assert.Contains(expected, Assert.Throws<ArgumentException>(description.ToFlows).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_left_out_gets_a_usual_value()
    {
        Flow flow = Assert.Single(s_ssh.ToFlows());
        Assert.Equal("Tcp 203.0.113.9:45000 -> 192.0.2.1:22", flow.ToString());
        Assert.Equal((FlowFamily.IPv4, FlowState.New, FlowVerdict.Unknown, FlowDirection.Unknown), (flow.Family, flow.State, flow.Verdict, flow.Direction));
        Assert.Null(flow.IcmpType);
        Assert.Null(flow.InInterface);
        Assert.Null(flow.OutInterface);
        Assert.Null(flow.PacketMark);
        Assert.Null(flow.Process);
    }

    [Fact]
    public void Every_given_value_is_in_the_flow()
    {
        Flow sent = Assert.Single((s_ssh with { SrcPorts = [new PortRange(1000)], OutInterface = "eth0.7", PacketMark = 5, UserId = 33 }).ToFlows());
        Assert.Equal(((ushort)1000, "eth0.7", 5u), (sent.SrcPort!.Value, sent.OutInterface, sent.PacketMark!.Value));
        Assert.Equal((33u, 33u, 0, ""), (sent.Process!.UserId!.Value, sent.Process.RealUserId!.Value, sent.Process.Id, sent.Process.Name));
        Assert.Equal("wan", Assert.Single((s_ssh with { InInterface = "wan" }).ToFlows()).InInterface);
    }

    [Theory]
    [InlineData("Icmp", "127.0.0.1", null, null, 8, 0, 1)]
    [InlineData("IcmpV6", "::1", null, null, 128, 0, 1)]
    [InlineData("Icmp", "127.0.0.1", 13, null, 13, 0, 1)]
    [InlineData("Icmp", "127.0.0.1", 3, 4, 3, 4, null)]
    [InlineData("IcmpV6", "::1", 135, null, 135, 0, null)]
    public void Icmp_is_an_echo_request_unless_told_otherwise(string protocol,
        string address, int? type, int? code, int expectedType, int expectedCode, int? expectedId)
    {
        Flow flow = Assert.Single((Describe(protocol, address, address) with { IcmpType = (byte?)type, IcmpCode = (byte?)code }).ToFlows());
        Assert.Equal((expectedType, expectedCode, expectedId), (flow.IcmpType!.Value, flow.IcmpCode!.Value, flow.IcmpId));
        Assert.Null(flow.SrcPort);
        Assert.Null(flow.DstPort);
    }

    [Fact]
    public void Each_combination_of_one_family_is_one_flow()
    {
        FlowDescription description = Describe("Tcp Icmp IcmpV6", "203.0.113.9 2001:db8::9", "192.0.2.1 192.0.2.2 2001:db8::1") with
        {
            DstPorts = [new PortRange(22), new PortRange(80, 81)],
        };
        Assert.Equal(
            [
                "Tcp 203.0.113.9:45000 -> 192.0.2.1:22", "Tcp 203.0.113.9:45000 -> 192.0.2.1:80", "Tcp 203.0.113.9:45000 -> 192.0.2.1:81",
                "Tcp 203.0.113.9:45000 -> 192.0.2.2:22", "Tcp 203.0.113.9:45000 -> 192.0.2.2:80", "Tcp 203.0.113.9:45000 -> 192.0.2.2:81",
                "Tcp [2001:db8::9]:45000 -> [2001:db8::1]:22", "Tcp [2001:db8::9]:45000 -> [2001:db8::1]:80", "Tcp [2001:db8::9]:45000 -> [2001:db8::1]:81",
                "Icmp 203.0.113.9 -> 192.0.2.1", "Icmp 203.0.113.9 -> 192.0.2.2", "IcmpV6 2001:db8::9 -> 2001:db8::1",
            ],
            description.ToFlows().Select(each => each.ToString()));
    }

    // 4,294,967,296 flows: whoever takes three of them must not wait for the others.
    [Fact]
    public void Flows_are_made_when_they_are_asked_for()
    {
        FlowDescription description = s_ssh with { DstPorts = [new PortRange(0, 65535)], SrcPorts = [new PortRange(0, 65535)] };
        Assert.Equal([0, 1, 2], description.ToFlows().Take(3).Select(each => (int)each.SrcPort!.Value));
    }

    private static FlowDescription Describe(string protocols, string sources, string destinations) => new()
    {
        Protocols = [.. protocols.Split(' ').Select(Enum.Parse<FlowProtocol>)],
        SrcAddresses = [.. sources.Split(' ').Select(IPAddress.Parse)],
        DstAddresses = [.. destinations.Split(' ').Select(IPAddress.Parse)],
    };
}
