using System.Net;
using Conntracker.Core.Addresses;
using Conntracker.Core.Flows;
using Conntracker.Core.Packets;
using Xunit;

namespace Conntracker.Tests.Unit;

/// <summary>Who began a flow whose beginning nobody saw, and so whether it came in or went out.</summary>
public class OriginatorTests
{
    private const string Host = "192.0.2.2";
    private const string Peer = "198.51.100.2";

    [Theory]
    [InlineData("a SYN to a high port, from a low one", FlowProtocol.Tcp, "a:S", 80, 50000, "a")]
    [InlineData("an answer from a high port, to a low one", FlowProtocol.Tcp, "a:SA", 50000, 80, "b")]
    [InlineData("data to a service", FlowProtocol.Tcp, "a:PA", 50000, 443, "a")]
    [InlineData("data from a service", FlowProtocol.Tcp, "a:PA", 443, 50000, "b")]
    [InlineData("data from a service, the last below 1024", FlowProtocol.Tcp, "a:PA", 1023, 1024, "b")]
    [InlineData("data between two services", FlowProtocol.Tcp, "a:PA", 22, 514, "a")]
    [InlineData("data to the lower of two high ports", FlowProtocol.Tcp, "a:PA", 50000, 8080, "a")]
    [InlineData("data from the lower of two high ports", FlowProtocol.Tcp, "a:PA", 8080, 50000, "b")]
    [InlineData("UDP to a service", FlowProtocol.Udp, "a", 50000, 53, "a")]
    [InlineData("UDP from a service", FlowProtocol.Udp, "a", 53, 50000, "b")]
    [InlineData("UDP between two services", FlowProtocol.Udp, "a", 123, 123, "a")]
    [InlineData("UDP between high ports, from the lower one", FlowProtocol.Udp, "a", 5000, 50000, "a")]
    [InlineData("UDP between high ports, to the lower one", FlowProtocol.Udp, "a", 50000, 5000, "a")]
    [InlineData("SCTP begun from a low port", FlowProtocol.Sctp, "a:INIT", 100, 50000, "a")]
    [InlineData("SCTP answered from a high port", FlowProtocol.Sctp, "a:INIT_ACK", 50000, 100, "b")]
    [InlineData("SCTP data from a service", FlowProtocol.Sctp, "a:DATA", 100, 50000, "b")]
    [InlineData("DCCP begun from a low port", FlowProtocol.Dccp, "a:REQUEST", 100, 50000, "a")]
    [InlineData("DCCP answered from a high port", FlowProtocol.Dccp, "a:RESPONSE", 50000, 100, "b")]
    [InlineData("DCCP data from a service", FlowProtocol.Dccp, "a:DATA", 100, 50000, "b")]
    public void The_first_packet_tells_who_began_by_what_it_is_or_by_its_ports(string what,
        FlowProtocol protocol, string packet, int src, int dst, string began)
    {
        using PacketProbe probe = new();
        new Conversation(protocol) { APort = src, BPort = dst }.Play(probe, packet);
        Assert.True(Began(probe.Flow()) == began, $"{what}: {probe.Flow()}");
    }

    [Theory]
    [InlineData(53, 50000, FlowDirection.In)]
    [InlineData(50000, 53, FlowDirection.Out)]
    [InlineData(50000, 1023, FlowDirection.Out)]
    [InlineData(1023, 1024, FlowDirection.In)]
    public void A_packet_of_the_host_to_a_port_below_1024_goes_out_and_one_from_there_answers(int src, int dst, FlowDirection direction)
    {
        using PacketProbe probe = new PacketProbe().Own(Host);
        new Conversation(FlowProtocol.Udp) { APort = src, BPort = dst }.Play(probe, "a");
        Assert.Equal(direction, probe.Flow().Direction);
    }

    [Theory]
    [InlineData("a", FlowDirection.In)]
    [InlineData("b", FlowDirection.In)]
    public void What_an_own_UDP_service_sends_never_went_out_whoever_was_seen_first(string first, FlowDirection direction)
    {
        using PacketProbe probe = new PacketProbe().Own(Host);
        probe.Collector.UseIncomingUdpPorts([5000, 514]);
        new Conversation(FlowProtocol.Udp) { APort = 5000, BPort = 6000 }.Play(probe, first);

        // Also to a port below 1024, which would be a service otherwise.
        new Conversation(FlowProtocol.Udp) { APort = 5000, BPort = 123 }.Play(probe, first);
        Assert.All(probe.Flows(), each => Assert.Equal((direction, 5000), (each.Direction, (int)each.DstPort!)));
        Assert.Equal(2, probe.Flows().Count);
    }

    [Fact]
    public void Ports_of_own_services_mean_nothing_for_other_hosts_and_other_protocols()
    {
        using PacketProbe probe = new PacketProbe().Own(Host);
        probe.Collector.UseIncomingUdpPorts([5000]);
        new Conversation(FlowProtocol.Udp) { APort = 50000, BPort = 5000 }.Play(probe, "b");
        new Conversation(FlowProtocol.Tcp) { APort = 5000, BPort = 4000 }.Play(probe, "a:PA");
        Assert.Equal(
            ["Tcp 192.0.2.2:5000 -> 198.51.100.2:4000", "Udp 198.51.100.2:5000 -> 192.0.2.2:50000"],
            probe.Flows().Select(each => each.ToString()).Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData(FlowProtocol.Udp, "a b", "b")]
    [InlineData(FlowProtocol.Tcp, "a:S b:SA a:A", "b:PA")]
    public void A_port_that_was_a_remote_service_is_not_mistaken_for_a_client_that_comes_in(FlowProtocol protocol, string known, string later)
    {
        // To 60000 of the peer a flow went out; then it speaks first, from there, to a lower port of the host.
        using PacketProbe probe = new PacketProbe().Own(Host);
        Conversation first = new(protocol) { APort = 40000, BPort = 60000 };
        first.Play(probe, known);
        (first with { APort = 30000 }).Play(probe, later);
        Assert.All(probe.Flows(), each => Assert.Equal((FlowDirection.Out, 60000), (each.Direction, (int)each.DstPort!)));
        Assert.Equal(2, probe.Flows().Count);
    }

    [Fact]
    public void Another_port_of_a_remote_host_may_still_come_in()
    {
        using PacketProbe probe = new PacketProbe().Own(Host);
        new Conversation(FlowProtocol.Udp) { APort = 40000, BPort = 60000 }.Play(probe, "a b");
        new Conversation(FlowProtocol.Udp) { APort = 30000, BPort = 60001 }.Play(probe, "b");
        Assert.Equal([FlowDirection.Out, FlowDirection.In], probe.Flows().OrderBy(each => each.FirstSeen).Select(each => each.Direction));
    }

    [Fact]
    public void A_service_that_answered_elsewhere_is_known_too()
    {
        // No address is the host's own: a mirror port.
        using PacketProbe probe = new();
        new Conversation(FlowProtocol.Udp) { APort = 40000, BPort = 60000 }.Play(probe, "a b");
        new Conversation(FlowProtocol.Udp) { A = "203.0.113.7", APort = 30000, BPort = 60000 }.Play(probe, "b");
        Assert.All(probe.Flows(), each => Assert.Equal(60000, (int)each.DstPort!));
    }

    [Theory]
    [InlineData("224.0.0.251", 5353)]
    [InlineData("239.255.255.250", 1900)]
    [InlineData("255.255.255.255", 6868)]
    [InlineData("ff02::fb", 5353)]
    public void What_goes_to_many_was_begun_by_its_sender(string group, int port)
    {
        using PacketProbe probe = new();
        string src = group.Contains(':', StringComparison.Ordinal) ? "fe80::1" : "192.0.2.1";
        new Conversation(FlowProtocol.Udp) { A = src, APort = 67, B = group, BPort = port }.Play(probe, "a");
        Assert.Equal((src, group), (probe.Flow().SrcAddress.ToString(), probe.Flow().DstAddress.ToString()));
    }

    [Fact]
    public void Multicast_answered_by_a_unicast_packet_is_not_turned_round_by_a_known_service()
    {
        using PacketProbe probe = new();
        new Conversation(FlowProtocol.Udp) { A = "203.0.113.7", APort = 40000, B = "192.0.2.1", BPort = 5353 }.Play(probe, "a b");
        new Conversation(FlowProtocol.Udp) { A = "192.0.2.1", APort = 5353, B = "224.0.0.251", BPort = 5353 }.Play(probe, "a");
        Assert.Contains("Udp 192.0.2.1:5353 -> 224.0.0.251:5353", probe.Flows().Select(each => each.ToString()));
    }

    [Fact]
    public void Known_services_are_bounded_and_the_newest_half_is_never_forgotten()
    {
        const int Many = 400_000;
        const int Newest = 65_536;
        ServicePorts services = new();
        for (int i = 0; i < Many; i++)
        {
            FlowKey key = Service(i);
            services.Add(in key);
        }

        int known = Enumerable.Range(0, Many).Count(i => Knows(services, i));
        Assert.InRange(known, Newest, 2 * Newest);
        Assert.All(Enumerable.Range(Many - Newest, Newest), i => Assert.True(Knows(services, i)));
    }

    [Fact]
    public void A_service_that_is_heard_of_again_and_again_is_not_forgotten()
    {
        ServicePorts services = new();
        FlowKey often = Service(0);
        for (int i = 1; i < 300_000; i++)
        {
            FlowKey key = Service(i);
            services.Add(in key);
            if (i % 10_000 == 0)
            {
                services.Add(in often);
            }
        }

        Assert.True(Knows(services, 0));
    }

    private static bool Knows(ServicePorts services, int number)
    {
        FlowKey key = Service(number);
        return services.Contains(key.Protocol, key.Family, key.Original.Dst, key.Original.DstPort);
    }

    private static FlowKey Service(int number)
    {
        FlowKey key = default;
        key.Family = FlowFamily.IPv4;
        key.Protocol = FlowProtocol.Udp;
        key.Original.Dst = AddressBits.From(IPAddress.Parse($"10.0.{number >> 16}.1"));
        key.Original.DstPort = (ushort)number;
        return key;
    }

    private static string Began(Flow flow) => flow.SrcAddress.ToString() == Host ? "a" : Assert.IsType<string>(flow.SrcAddress.ToString() == Peer ? "b" : null);
}
