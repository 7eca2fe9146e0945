using System.Net;
using System.Runtime.CompilerServices;
using Conntracker.Core.Addresses;
using Conntracker.Core.Flows;
using Xunit;

namespace Conntracker.Tests.Unit;

public class FlowKeyTests
{
    [Fact]
    public void A_flow_keeps_its_promised_size() =>
        Assert.Equal((40, 120, 32), (Unsafe.SizeOf<FlowKey>(), Unsafe.SizeOf<FlowRecord>(), Unsafe.SizeOf<FlowCounters>()));

    [Theory]
    [InlineData("0.0.0.0")]
    [InlineData("192.0.2.1")]
    [InlineData("255.255.255.255")]
    [InlineData("::")]
    [InlineData("::1")]
    [InlineData("2001:db8:1:2:3:4:5:6")]
    public void An_address_survives_being_held_as_bits(string text)
    {
        IPAddress address = IPAddress.Parse(text);
        FlowFamily family = address.GetAddressBytes().Length == 4 ? FlowFamily.IPv4 : FlowFamily.IPv6;
        Assert.Equal(address, AddressBits.From(address).ToIPAddress(family));
    }

    [Theory]
    [InlineData("9.0.0.1", "10.0.0.1")]
    [InlineData("2001:db8::ffff", "2001:db9::")]
    [InlineData("2001:db8::1", "2001:db8::2")]
    public void Addresses_sort_by_their_numbers(string lower, string higher) =>
        Assert.True(AddressBits.From(IPAddress.Parse(lower)).CompareTo(AddressBits.From(IPAddress.Parse(higher))) < 0);

    [Fact]
    public void Keys_counted_up_spread_over_the_buckets()
    {
        // A flood's tuples differ in a few bits; were they to share buckets, each lookup would walk a list.
        const int Keys = 1 << 16;
        HashSet<uint> buckets = [];
        for (int i = 0; i < Keys; i++)
        {
            FlowKey key = default;
            key.Family = FlowFamily.IPv4;
            key.Original.Src = new AddressBits(0, 0x0a000000u + (uint)(i >> 4));
            key.Original.SrcPort = (ushort)(32768 + (i & 15));
            buckets.Add(FlowKey.Hash(in key) & (Keys - 1));
        }

        // A random function fills 63 % of them.
        Assert.InRange(buckets.Count, Keys * 60 / 100, Keys * 66 / 100);
    }

    [Fact]
    public void Connections_stay_at_their_greatest_number()
    {
        FlowRecord record = new() { Connections = uint.MaxValue - 1 };
        record.AddConnections(5);
        Assert.Equal(uint.MaxValue, record.Connections);
    }

    [Theory]
    [InlineData(FlowProtocol.Icmp, 0, 8)]
    [InlineData(FlowProtocol.Icmp, 13, 14)]
    [InlineData(FlowProtocol.Icmp, 15, 16)]
    [InlineData(FlowProtocol.Icmp, 17, 18)]
    [InlineData(FlowProtocol.Icmp, 10, 10)]
    [InlineData(FlowProtocol.Icmp, 128, 128)]
    [InlineData(FlowProtocol.IcmpV6, 128, 129)]
    [InlineData(FlowProtocol.IcmpV6, 139, 140)]
    [InlineData(FlowProtocol.IcmpV6, 8, 8)]
    [InlineData(FlowProtocol.IcmpV6, 135, 135)]
    public void The_answer_to_a_query_is_found_from_the_query_and_back(FlowProtocol protocol, byte query, byte answer)
    {
        const ushort Id = 4242;
        const byte Code = 7;
        FlowKey asked = Key(protocol, Id, (ushort)((query << 8) | Code));
        FlowKey answered = FlowKey.Reverse(in asked);
        FlowKey expected = Key(protocol, Id, (ushort)((answer << 8) | Code));
        (expected.Original.Src, expected.Original.Dst) = (asked.Original.Dst, asked.Original.Src);
        Assert.True(FlowKey.AreEqual(in expected, in answered));
        FlowKey back = FlowKey.Reverse(in answered);
        Assert.True(FlowKey.AreEqual(in asked, in back));
    }

    [Theory]
    [InlineData(FlowProtocol.Tcp)]
    [InlineData(FlowProtocol.Udp)]
    [InlineData(FlowProtocol.Gre)]
    public void The_answer_to_a_packet_has_its_ends_exchanged_and_its_zone_kept(FlowProtocol protocol)
    {
        FlowKey key = Key(protocol, 40000, 443);
        FlowKey reverse = FlowKey.Reverse(in key);
        Assert.Equal((key.Original.Dst, key.Original.Src, 443, 40000),
            (reverse.Original.Src, reverse.Original.Dst, reverse.Original.SrcPort, reverse.Original.DstPort));
        Assert.Equal((protocol, FlowFamily.IPv4, 7), (reverse.Protocol, reverse.Family, reverse.Zone));
    }

    private static FlowKey Key(FlowProtocol protocol, ushort srcPort, ushort dstPort) => new()
    {
        Family = FlowFamily.IPv4,
        Protocol = protocol,
        Zone = 7,
        Original = new FlowEndpoints { Src = new AddressBits(0, 1), Dst = new AddressBits(0, 2), SrcPort = srcPort, DstPort = dstPort },
    };
}
