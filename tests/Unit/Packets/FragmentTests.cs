using System.Net;
using Conntracker.Core.Addresses;
using Conntracker.Core.Packets;
using Xunit;

namespace Conntracker.Tests.Unit;

/// <summary>Later fragments have no ports: they count for the flow of their first one, or are skipped, and never for another flow.</summary>
public class FragmentTests
{
    private const int MoreFragments = 0x2000;
    private const int Places = 4096;

    [Fact]
    public void Fragments_of_both_families_count_for_the_flow_of_their_first_one()
    {
        using PacketProbe probe = new();
        probe.Put(Packet.IPv4(FlowProtocol.Udp, Packet.Ports(40000, 53, 1480), id: 7, fragment: MoreFragments));
        probe.Put(Packet.IPv4(FlowProtocol.Udp, new byte[1480], id: 7, fragment: MoreFragments | 185));
        probe.Put(Packet.IPv4(FlowProtocol.Udp, new byte[100], id: 7, fragment: 370));
        probe.Put(Packet.IPv6(FlowProtocol.Udp, Packet.Ports(40000, 53, 1448), extensions: Packet.Fragment(0, more: true, 7)));
        probe.Put(Packet.IPv6(FlowProtocol.Udp, new byte[100], extensions: Packet.Fragment(1448, more: false, 7)));
        Assert.Equal(
            ["Udp 192.0.2.2:40000 -> 198.51.100.2:53 3/3120", "Udp [2001:db8:1::2]:40000 -> [2001:db8:2::2]:53 2/1644"],
            probe.Flows().Select(each => $"{each} {each.Packets}/{each.Bytes}"));
        Assert.Equal((5L, 0L, 0L), (probe.Counters.Packets, probe.Counters.PacketsSkipped, probe.Counters.Malformed));
    }

    [Fact]
    public void A_later_fragment_that_comes_first_is_skipped_and_makes_no_flow()
    {
        using PacketProbe probe = new();
        probe.Put(Packet.IPv4(FlowProtocol.Udp, new byte[100], id: 7, fragment: 185));
        probe.Put(Packet.IPv6(FlowProtocol.Udp, new byte[100], extensions: Packet.Fragment(1448, more: false, 7)));
        Assert.Empty(probe.Flows());
        Assert.Equal((2L, 2L, 0L), (probe.Counters.Packets, probe.Counters.PacketsSkipped, probe.Counters.Malformed));
    }

    [Theory]
    [InlineData("of another packet", 8, "192.0.2.2", FlowProtocol.Udp, 0)]
    [InlineData("of another host", 7, "192.0.2.3", FlowProtocol.Udp, 0)]
    [InlineData("of another protocol", 7, "192.0.2.2", FlowProtocol.Tcp, 0)]
    [InlineData("of a later packet with the same number", 7, "192.0.2.2", FlowProtocol.Udp, 31)]
    [InlineData("of an earlier packet with the same number", 7, "192.0.2.2", FlowProtocol.Udp, -31)]
    public void A_fragment_is_not_counted_for_a_packet_that_it_is_no_part(string what, int id, string src, FlowProtocol protocol, int seconds)
    {
        using PacketProbe probe = new();
        probe.Put(Packet.IPv4(FlowProtocol.Udp, Packet.Ports(40000, 53), id: 7, fragment: MoreFragments));
        probe.Wait(seconds);
        probe.Put(Packet.IPv4(protocol, new byte[8], src, id: id, fragment: 1));
        Assert.True(probe.Flow().Packets == 1 && probe.Counters.PacketsSkipped == 1, what);
    }

    [Fact]
    public void A_number_that_is_used_again_belongs_to_the_newer_packet()
    {
        using PacketProbe probe = new();
        foreach (int port in (int[])[1000, 2000])
        {
            probe.Put(Packet.IPv4(FlowProtocol.Udp, Packet.Ports(port, 53), id: 7, fragment: MoreFragments));
            probe.Put(Packet.IPv4(FlowProtocol.Udp, new byte[8], id: 7, fragment: 1));
            probe.Wait(31);
        }

        Assert.Equal([(1000, 2), (2000, 2)], probe.Flows().Select(each => ((int)each.SrcPort!, (int)each.Packets!)));
    }

    [Fact]
    public void All_32_bits_of_an_IPv6_number_count()
    {
        using PacketProbe probe = new();
        foreach (uint id in (uint[])[0x00010007, 0x00020007])
        {
            probe.Put(Packet.IPv6(FlowProtocol.Udp, Packet.Ports((int)(id >> 16), 53), extensions: Packet.Fragment(0, more: true, id)));
        }

        probe.Put(Packet.IPv6(FlowProtocol.Udp, new byte[8], extensions: Packet.Fragment(8, more: false, 0x00010007)));
        probe.Put(Packet.IPv6(FlowProtocol.Udp, new byte[8], extensions: Packet.Fragment(8, more: false, 0x00030007)));
        Assert.Equal([(1, 2), (2, 1)], probe.Flows().Select(each => ((int)each.SrcPort!, (int)each.Packets!)));
        Assert.Equal(1, probe.Counters.PacketsSkipped);
    }

    [Fact]
    public void Extension_headers_behind_the_fragment_header_part_no_packet()
    {
        // Only the first fragment has them; the later ones name the first of them as their protocol (RFC 8200, 4.5).
        using PacketProbe probe = new();
        probe.Put(Packet.IPv6(FlowProtocol.Udp, Packet.Ports(40000, 53), extensions: [Packet.Fragment(0, more: true, 7), Packet.Extension(60, 8)]));
        probe.Put(Packet.IPv6((FlowProtocol)60, new byte[16], extensions: Packet.Fragment(16, more: false, 7)));
        Assert.Equal((FlowProtocol.Udp, 2ul), (probe.Flow().Protocol, probe.Flow().Packets!.Value));
    }

    [Fact]
    public void Later_fragments_of_a_ping_belong_to_the_ping()
    {
        using PacketProbe probe = new();
        probe.Put(Packet.IPv4(FlowProtocol.Icmp, Packet.Icmp(8, 0, 4242, new byte[1472]), id: 7, fragment: MoreFragments));
        probe.Put(Packet.IPv4(FlowProtocol.Icmp, new byte[100], id: 7, fragment: 185));
        Assert.Equal((2ul, (ushort)4242), (probe.Flow().Packets!.Value, probe.Flow().IcmpId!.Value));
    }

    [Fact]
    public void Later_fragments_of_an_error_or_of_a_packet_cut_off_make_no_flow()
    {
        using PacketProbe probe = new();
        probe.Put(Packet.IPv4(FlowProtocol.Icmp, Packet.Icmp(3, 1), "203.0.113.1", id: 7, fragment: MoreFragments));
        probe.Put(Packet.IPv4(FlowProtocol.Icmp, new byte[8], "203.0.113.1", id: 7, fragment: 1));
        probe.Put(Packet.IPv4(FlowProtocol.Tcp, Packet.Ports(40000, 443, 8), id: 8, fragment: MoreFragments));
        probe.Put(Packet.IPv4(FlowProtocol.Tcp, new byte[8], id: 8, fragment: 1));
        Assert.Empty(probe.Flows());
        Assert.Equal((4L, 3L, 1L), (probe.Counters.Packets, probe.Counters.PacketsSkipped, probe.Counters.Malformed));
    }

    [Fact]
    public void Fragments_of_thousands_of_packets_at_once_are_joined_or_skipped_but_never_mixed_up()
    {
        const int Interleaved = 5000;
        using PacketProbe probe = new(maximumFlows: 10_000);
        for (int i = 0; i < Interleaved; i++)
        {
            probe.Put(Packet.IPv4(FlowProtocol.Udp, Packet.Ports(1024 + i, 53), id: i, fragment: MoreFragments));
        }

        // Each of a length that tells which packet it is of.
        for (int i = 0; i < Interleaved; i++)
        {
            probe.Put(Packet.IPv4(FlowProtocol.Udp, new byte[i], id: i, fragment: 1));
        }

        List<Flow> flows = probe.Flows();
        Assert.Equal(Interleaved, flows.Count);
        Assert.All(flows, each => Assert.Equal(each.Packets == 1 ? 28ul : 28 + 20 + (ulong)(each.SrcPort! - 1024), each.Bytes));

        // One place for each: what shares one with a newer packet is lost, which is 1 - (1 - e^-x) / x of all with x packets for a place.
        double x = (double)Interleaved / Places;
        double expected = Interleaved * (1 - Math.Exp(-x)) / x;
        long joined = flows.Count(each => each.Packets == 2);
        Assert.Equal(Interleaved - joined, probe.Counters.PacketsSkipped);
        Assert.InRange(joined, expected * 0.9, expected * 1.1);
    }

    [Fact]
    public void A_place_that_was_never_used_completes_nothing()
    {
        PacketTuple tuple = default;
        tuple.Key.Family = FlowFamily.IPv4;
        tuple.Key.Original.Src = AddressBits.From(IPAddress.Parse("192.0.2.2"));
        Assert.False(new FragmentCache().TryComplete(ref tuple, 0));
    }
}
