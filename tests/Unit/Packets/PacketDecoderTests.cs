using System.Globalization;
using Conntracker.Core.Flows;
using Conntracker.Core.Packets;
using Xunit;

namespace Conntracker.Tests.Unit;

/// <summary>A packet's own header says which flow it belongs to, whatever stands between the header and the ports.</summary>
public class PacketDecoderTests
{
    private const string Inner4 = "198.51.100.2";
    private const string Inner6 = "2001:db8:2::2";

    public static TheoryData<FlowProtocol> WithPorts => [FlowProtocol.Tcp, FlowProtocol.Udp, FlowProtocol.UdpLite, FlowProtocol.Sctp, FlowProtocol.Dccp];

    [Theory]
    [MemberData(nameof(WithPorts))]
    public void Ports_are_read_for_every_protocol_that_has_them(FlowProtocol protocol)
    {
        Assert.Equal($"{protocol} 192.0.2.2:40000 > 198.51.100.2:443", Read(Packet.IPv4(protocol, Packet.Ports(40000, 443))));
        Assert.Equal($"{protocol} 2001:db8:1::2:40000 > 2001:db8:2::2:443", Read(Packet.IPv6(protocol, Packet.Ports(40000, 443))));
    }

    [Theory]
    [InlineData(FlowProtocol.Gre)]
    [InlineData(FlowProtocol.Esp)]
    [InlineData((FlowProtocol)99)]
    public void Protocols_without_ports_have_none_even_without_a_payload(FlowProtocol protocol)
    {
        Assert.Equal($"{protocol} 192.0.2.2:0 > 198.51.100.2:0", Read(Packet.IPv4(protocol, [])));
        Assert.Equal($"{protocol} 2001:db8:1::2:0 > 2001:db8:2::2:0", Read(Packet.IPv6(protocol, [1, 2, 3, 4])));
    }

    [Theory]
    [InlineData(4)]
    [InlineData(24)]
    [InlineData(40)]
    public void Options_of_IPv4_are_passed_over(int options) =>
        Assert.Equal("Tcp 192.0.2.2:40000 > 198.51.100.2:443", Read(Packet.IPv4(FlowProtocol.Tcp, Packet.Ports(40000, 443), options: options)));

    [Fact]
    public void Extension_headers_of_IPv6_are_passed_over()
    {
        byte[] packet = Packet.IPv6(
            FlowProtocol.Udp,
            Packet.Ports(40000, 53),
            extensions: [Packet.Extension(0, 16), Packet.Extension(60, 8), Packet.Extension(43, 24),
                Packet.Fragment(0, more: true), Packet.Authentication(24), Packet.Extension(60, 8)]);
        Assert.Equal("Udp 2001:db8:1::2:40000 > 2001:db8:2::2:53", Read(packet));
    }

    [Fact]
    public void More_extension_headers_than_any_packet_has_are_no_packet_of_a_made_up_protocol()
    {
        (int, byte[])[] nine = [.. Enumerable.Repeat(Packet.Extension(60, 8), 9)];
        Assert.Equal("Udp 2001:db8:1::2:40000 > 2001:db8:2::2:53", Read(Packet.IPv6(FlowProtocol.Udp, Packet.Ports(40000, 53), extensions: nine[..8])));
        Assert.Null(Read(Packet.IPv6(FlowProtocol.Udp, Packet.Ports(40000, 53), extensions: nine)));
    }

    [Fact]
    public void A_first_fragment_has_ports_and_a_later_one_is_not_given_any()
    {
        const int MoreFragments = 0x2000;
        Assert.Equal("Udp 192.0.2.2:40000 > 198.51.100.2:53", Read(Packet.IPv4(FlowProtocol.Udp, Packet.Ports(40000, 53), fragment: MoreFragments)));
        Assert.Null(Read(Packet.IPv4(FlowProtocol.Udp, Packet.Ports(40000, 53), fragment: MoreFragments | 185)));
        Assert.Null(Read(Packet.IPv4(FlowProtocol.Udp, Packet.Ports(40000, 53), fragment: 185)));
        Assert.Equal("Udp 2001:db8:1::2:40000 > 2001:db8:2::2:53",
            Read(Packet.IPv6(FlowProtocol.Udp, Packet.Ports(40000, 53), extensions: Packet.Fragment(0, more: true))));
        Assert.Null(Read(Packet.IPv6(FlowProtocol.Udp, Packet.Ports(40000, 53), extensions: Packet.Fragment(1448, more: false))));
    }

    [Fact]
    public void The_packets_own_number_is_kept()
    {
        Assert.True(PacketDecoder.TryDecode(Packet.IPv4(FlowProtocol.Udp, Packet.Ports(1, 2), id: 0xbeef), out PacketTuple tuple));
        Assert.Equal((0xbeefu, false), (tuple.FragmentId, tuple.IsIcmpError));
    }

    [Theory]
    [InlineData(8, 0, "8.0")]
    [InlineData(0, 0, "0.0")]
    [InlineData(13, 0, "13.0")]
    [InlineData(17, 0, "17.0")]
    public void A_query_of_ICMP_has_its_id_type_and_code(int type, int code, string told) =>
        Assert.Equal($"Icmp 192.0.2.2 > 198.51.100.2 {told} id 4242", Read(Packet.IPv4(FlowProtocol.Icmp, Packet.Icmp(type, code, 4242))));

    [Theory]
    [InlineData(128, "128.0")]
    [InlineData(129, "129.0")]
    [InlineData(139, "139.0")]
    public void A_query_of_ICMPv6_has_its_id_type_and_code(int type, string told) =>
        Assert.Equal($"IcmpV6 2001:db8:1::2 > 2001:db8:2::2 {told} id 4242", Read(Packet.IPv6(FlowProtocol.IcmpV6, Packet.Icmp(type, 0, 4242))));

    [Theory]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    [InlineData(11)]
    [InlineData(12)]
    public void An_error_of_ICMP_belongs_to_the_flow_it_is_about_against_its_direction(int type)
    {
        byte[] cause = Packet.IPv4(FlowProtocol.Udp, Packet.Ports(40000, 53), "192.0.2.2", Inner4, options: 8);
        Assert.Equal(
            "error Udp 198.51.100.2:53 > 192.0.2.2:40000",
            Read(Packet.IPv4(FlowProtocol.Icmp, Packet.Icmp(type, 1, rest: cause), "203.0.113.1", "192.0.2.2")));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public void An_error_of_ICMPv6_belongs_to_the_flow_it_is_about_against_its_direction(int type)
    {
        byte[] cause = Packet.IPv6(FlowProtocol.Tcp, Packet.Ports(40000, 443), "2001:db8:1::2", Inner6, Packet.Extension(60, 8));
        Assert.Equal(
            "error Tcp 2001:db8:2::2:443 > 2001:db8:1::2:40000",
            Read(Packet.IPv6(FlowProtocol.IcmpV6, Packet.Icmp(type, 0, rest: cause), "2001:db8:9::1", "2001:db8:1::2", Packet.Extension(0, 8))));
    }

    [Fact]
    public void An_error_about_a_query_belongs_to_the_querys_flow()
    {
        byte[] ping = Packet.IPv4(FlowProtocol.Icmp, Packet.Icmp(8, 0, 4242), "192.0.2.2", Inner4);
        Assert.Equal("error Icmp 198.51.100.2 > 192.0.2.2 0.0 id 4242",
            Read(Packet.IPv4(FlowProtocol.Icmp, Packet.Icmp(3, 1, rest: ping), "203.0.113.1", "192.0.2.2")));
    }

    [Theory]
    [InlineData("nothing")]
    [InlineData("cut off")]
    [InlineData("a later fragment")]
    [InlineData("an error")]
    [InlineData("of the other family")]
    [InlineData("no packet")]
    public void An_error_whose_cause_cannot_be_told_stands_for_itself(string cause)
    {
        byte[] udp = Packet.IPv4(FlowProtocol.Udp, Packet.Ports(40000, 53));
        byte[] rest = cause switch
        {
            "nothing" => [],
            "cut off" => udp[..23],
            "a later fragment" => Packet.IPv4(FlowProtocol.Udp, Packet.Ports(1, 2), fragment: 185),
            "an error" => Packet.IPv4(FlowProtocol.Icmp, Packet.Icmp(3, 1, rest: udp)),
            "of the other family" => Packet.IPv6(FlowProtocol.Udp, Packet.Ports(1, 2)),
            _ => [.. Enumerable.Repeat((byte)0xff, 60)],
        };
        Assert.Equal("error Icmp 203.0.113.1 > 192.0.2.2 3.1 id 0",
            Read(Packet.IPv4(FlowProtocol.Icmp, Packet.Icmp(3, 1, 77, rest), "203.0.113.1", "192.0.2.2")));
    }

    [Fact]
    public void A_packet_cut_off_before_its_ports_is_not_given_any()
    {
        byte[][] packets =
        [
            Packet.IPv4(FlowProtocol.Tcp, Packet.Ports(40000, 443, 20), options: 12),
            Packet.IPv6(FlowProtocol.Udp, Packet.Ports(40000, 53), extensions: [Packet.Extension(0, 8), Packet.Authentication(16)]),
        ];
        foreach (byte[] packet in packets)
        {
            string? whole = Read(packet);
            int ports = packet.Length - (packet[0] >> 4 == 4 ? 20 : 8) + 4;
            for (int length = 0; length < packet.Length; length++)
            {
                Assert.Equal(length < ports ? null : whole, Read(packet[..length]));
            }
        }
    }

    [Fact]
    public void A_header_that_comes_apart_from_its_transport_reads_as_the_whole()
    {
        byte[] options = Packet.IPv4(FlowProtocol.Tcp, Packet.Ports(40000, 443, 20), options: 8);
        Assert.Equal(Read(options), ReadApart(options[..28], options[28..]));
        byte[] plain = Packet.IPv6(FlowProtocol.Udp, Packet.Ports(40000, 53));
        Assert.Equal(Read(plain), ReadApart(plain[..40], plain[40..]));
        Assert.Null(ReadApart(Packet.IPv4(FlowProtocol.Tcp, [], fragment: 185), Packet.Ports(1, 2)));
        Assert.Null(ReadApart(plain[..39], plain[40..]));
        Assert.Null(ReadApart(options[..28], options[28..31]));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(0x50)]
    [InlineData(0xf0)]
    [InlineData(0x44)]
    public void What_is_no_IP_packet_has_no_flow(byte first)
    {
        byte[] packet = Packet.IPv4(FlowProtocol.Tcp, Packet.Ports(40000, 443));
        packet[0] = first;
        Assert.Null(Read(packet));
    }

    [Fact]
    public void Bits_flipped_anywhere_never_throw()
    {
        byte[][] packets =
        [
            Packet.IPv4(FlowProtocol.Icmp, Packet.Icmp(3, 1, rest: Packet.IPv4(FlowProtocol.Udp, Packet.Ports(40000, 53), options: 8))),
            Packet.IPv6(FlowProtocol.IcmpV6, Packet.Icmp(1, 0, rest: Packet.IPv6(FlowProtocol.Tcp, Packet.Ports(1, 2), extensions: Packet.Extension(0, 16))),
                extensions: [Packet.Fragment(0, true), Packet.Authentication(12)]),
        ];
        Random random = new(20260102);
        int read = 0;
        for (int i = 0; i < 300_000; i++)
        {
            byte[] packet = [.. packets[i % packets.Length]];
            for (int flips = random.Next(1, 6); flips > 0; flips--)
            {
                packet[random.Next(packet.Length)] ^= (byte)(1 << random.Next(8));
            }

            read += PacketDecoder.TryDecode(packet.AsSpan(0, random.Next(packet.Length + 1)), out _) ? 1 : 0;
        }

        Assert.InRange(read, 10_000, 290_000);
    }

    /// <summary>A tuple in words; null when there is none.</summary>
    internal static string? Show(bool isRead, in PacketTuple tuple)
    {
        if (!isRead)
        {
            return null;
        }

        FlowEndpoints ends = tuple.Key.Original;
        (object src, object dst) = (ends.Src.ToIPAddress(tuple.Key.Family), ends.Dst.ToIPAddress(tuple.Key.Family));
        string text = FlowKey.IsIcmp(tuple.Key.Protocol)
            ? string.Create(CultureInfo.InvariantCulture, $"{tuple.Key.Protocol} {src} > {dst} {ends.DstPort >> 8}.{ends.DstPort & 0xff} id {ends.SrcPort}")
            : string.Create(CultureInfo.InvariantCulture, $"{tuple.Key.Protocol} {src}:{ends.SrcPort} > {dst}:{ends.DstPort}");
        return tuple.IsIcmpError ? $"error {text}" : text;
    }

    private static string? Read(byte[] packet) => Show(PacketDecoder.TryDecode(packet, out PacketTuple tuple), in tuple);

    private static string? ReadApart(byte[] network, byte[] transport) => Show(PacketDecoder.TryDecode(network, transport, out PacketTuple tuple), in tuple);
}
