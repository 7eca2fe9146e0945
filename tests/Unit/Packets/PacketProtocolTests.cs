using System.Buffers.Binary;
using Xunit;

namespace Conntracker.Tests.Unit;

/// <summary>Packets of every protocol, behind every header, as flows: tuple, counters, state and counters.</summary>
public sealed class PacketProtocolTests : IDisposable
{
    private static readonly DateTimeOffset s_start = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);

    private readonly TempDirectory _folder = new();

    public static TheoryData<string> Headers => [.. LinkHeader.All.Select(each => each.Name)];

    public static TheoryData<string> Exchanges => [.. Exchange.All.Select(each => each.Name)];

    /// <inheritdoc/>
    public void Dispose() => _folder.Dispose();

    [Theory]
    [MemberData(nameof(Exchanges))]
    public void A_packet_and_its_answer_are_one_confirmed_flow_with_their_bytes(string name)
    {
        Exchange exchange = Exchange.Of(name);
        PcapFile file = new();
        file.Add(s_start, LinkFrame.Ethernet(exchange.There)).Add(s_start.AddSeconds(1), LinkFrame.Ethernet(exchange.Back));
        PcapReading read = PcapReading.Of(file.Write(_folder));
        Flow flow = Assert.Single(read.Flows);
        Assert.Equal(exchange.Flow, flow.ToString());
        Assert.Equal((FlowState.Replied, true), (flow.State, flow.Confirmed));
        Assert.Equal((1ul, 1ul), (flow.Packets!.Value, flow.ReplyPackets!.Value));

        // Ethernet's 60 bytes are no part of the packet.
        Assert.Equal(((ulong)exchange.There.Length, (ulong)exchange.Back.Length), (flow.Bytes!.Value, flow.ReplyBytes!.Value));
        Assert.Equal(
            (flow.Protocol == FlowProtocol.Tcp ? TcpState.SynRecv : null, flow.Protocol == FlowProtocol.Sctp
                ? SctpState.CookieWait : null, flow.Protocol == FlowProtocol.Dccp ? DccpState.Respond : (DccpState?)null),
            (flow.TcpState, flow.SctpState, flow.DccpState));
        Assert.Equal((s_start, s_start.AddSeconds(1)), (flow.FirstSeen!.Value, flow.LastSeen!.Value));
        Assert.Equal((2L, 0L, 0L), (read.Counters.Packets, read.Counters.PacketsSkipped, read.Counters.Malformed));
    }

    [Theory]
    [MemberData(nameof(Headers))]
    public void Every_protocol_is_read_behind_every_head_and_cut_off_anywhere_it_is_counted_as_such(string name)
    {
        LinkHeader header = LinkHeader.Of(name);
        foreach (Exchange exchange in Exchange.All)
        {
            byte[] frame = header.Put(exchange.There);
            using PacketProbe probe = new(linkType: header.Dlt);
            bool wasRead = false;
            for (int length = 0; length <= frame.Length; length++)
            {
                long before = probe.Counters.Malformed;
                probe.Put(frame[..length], frame.Length);
                bool isRead = probe.Counters.Malformed == before;
                Assert.True(isRead || !wasRead, $"{exchange.Name}: read with fewer than {length} bytes, and not with these.");
                wasRead |= isRead;
            }

            // What was read of it is always the whole tuple, and all of its length.
            Flow flow = probe.Flow();
            Assert.Equal(exchange.Flow, flow.ToString());
            Assert.Equal(flow.Packets * (ulong)exchange.There.Length, flow.Bytes);
            Assert.Equal((long)flow.Packets! + probe.Counters.Malformed, probe.Counters.Packets);
            Assert.Equal(0, probe.Counters.PacketsSkipped);
        }
    }

    [Fact]
    public void What_is_no_IP_packet_is_skipped()
    {
        PcapFile file = new();
        byte[][] frames =
        [
            LinkFrame.EthernetOf(0x0806, new byte[28]),
            LinkFrame.EthernetOf(0x88cc, new byte[46]),
            LinkFrame.EthernetOf(38, new byte[46]),
            LinkFrame.EthernetOf(0x8100, [0, 1, 8, 6, .. new byte[28]]),
            LinkFrame.EthernetOf(0x8864, [0x11, 0, 0, 7, 0, 10, 0xc0, 0x21, 0x45, .. new byte[8]]),
        ];
        foreach (byte[] frame in frames)
        {
            file.Add(s_start, frame);
        }

        file.Add(s_start, LinkFrame.Ethernet(Exchange.All[0].There));
        PcapReading read = PcapReading.Of(file.Write(_folder));
        Assert.Single(read.Flows);
        Assert.Equal((6L, 5L, 0L), (read.Counters.Packets, read.Counters.PacketsSkipped, read.Counters.Malformed));
    }

    [Fact]
    public void Only_the_first_bytes_of_a_packet_need_be_in_the_file()
    {
        byte[] packet = Packet.IPv4(FlowProtocol.Tcp, Packet.Tcp(40000, 443, "A", payload: 1400));
        PcapFile file = new(PcapFile.Raw);
        file.Add(s_start, packet[..40], packet.Length).Add(s_start, packet[..30], packet.Length);
        PcapReading read = PcapReading.Of(file.Write(_folder));
        Assert.Equal((1ul, 1440ul), (Assert.Single(read.Flows).Packets!.Value, read.Flows[0].Bytes!.Value));
        Assert.Equal((2L, 0L, 1L), (read.Counters.Packets, read.Counters.PacketsSkipped, read.Counters.Malformed));
    }

    [Fact]
    public void A_length_beyond_the_wires_end_is_not_believed()
    {
        byte[] four = Packet.IPv4(FlowProtocol.Udp, Packet.Ports(40000, 53));
        BinaryPrimitives.WriteUInt16BigEndian(four.AsSpan(2), ushort.MaxValue);
        byte[] six = Packet.IPv6(FlowProtocol.Udp, Packet.Ports(40000, 53));
        BinaryPrimitives.WriteUInt16BigEndian(six.AsSpan(4), ushort.MaxValue);
        using PacketProbe probe = new();
        probe.Put(four);
        probe.Put(six);
        Assert.Equal([28ul, 48ul], probe.Flows().Select(each => each.Bytes!.Value));
    }

    [Fact]
    public void A_packet_that_does_not_tell_its_length_has_the_wires()
    {
        // As the kernel hands over what the interface has yet to cut, and jumbograms.
        byte[] four = Packet.IPv4(FlowProtocol.Tcp, Packet.Tcp(40000, 443, "A"));
        BinaryPrimitives.WriteUInt16BigEndian(four.AsSpan(2), 0);
        byte[] six = Packet.IPv6(FlowProtocol.Tcp, Packet.Tcp(40000, 443, "A"));
        BinaryPrimitives.WriteUInt16BigEndian(six.AsSpan(4), 0);
        using PacketProbe probe = new();
        probe.Put(four, 100_000);
        probe.Put(six, 100_000);
        Assert.Equal([100_000ul, 100_000ul], probe.Flows().Select(each => each.Bytes!.Value));
    }

    [Theory]
    [InlineData("IPv4: no room for ports", 23)]
    [InlineData("IPv4: shorter than its own header", 19)]
    [InlineData("IPv4: ends before its options", 20)]
    public void Ports_are_not_read_out_of_padding(string what, int length)
    {
        byte[] packet = Packet.IPv4(FlowProtocol.Udp, Packet.Ports(40000, 53), options: length == 20 ? 8 : 0);
        BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(2), (ushort)length);
        using PacketProbe probe = new(linkType: PcapFile.Ethernet);
        probe.Put(LinkFrame.Ethernet(packet));
        Assert.True(probe.Flows().Count == 0 && probe.Counters.Malformed == 1, what);
    }

    [Fact]
    public void Ports_of_IPv6_are_not_read_out_of_padding()
    {
        byte[] packet = Packet.IPv6(FlowProtocol.Udp, Packet.Ports(40000, 53));
        packet[5] = 3;
        using PacketProbe probe = new();
        probe.Put(packet);
        Assert.Equal((0, 1L), (probe.Flows().Count, probe.Counters.Malformed));
    }

    [Fact]
    public void Tunnels_are_their_outer_flow()
    {
        byte[] inner = Packet.IPv4(FlowProtocol.Udp, Packet.Ports(1, 2), "10.0.0.1", "10.0.0.2");
        using PacketProbe probe = new();
        probe.Put(Packet.IPv4(FlowProtocol.Gre, [0, 0, 8, 0, .. inner]));
        probe.Put(Packet.IPv4((FlowProtocol)4, inner));
        probe.Put(Packet.IPv4((FlowProtocol)41, Packet.IPv6(FlowProtocol.Udp, Packet.Ports(1, 2))));
        Assert.Equal(["Gre", "4", "41"], probe.Flows().Select(each => each.Protocol.ToString()));
        Assert.All(probe.Flows(), each => Assert.Equal("192.0.2.2", each.SrcAddress.ToString()));
    }

    [Fact]
    public void Unwanted_protocols_are_taken_in_but_make_no_flow()
    {
        using PacketProbe probe = new(protocols: FlowProtocol.Tcp);
        foreach (Exchange each in Exchange.All)
        {
            probe.Put(each.There);
        }

        Assert.Equal((Exchange.All.Count, 0L, 0L), ((int)probe.Counters.Packets, probe.Counters.PacketsSkipped, probe.Counters.Malformed));
        Assert.Equal([FlowProtocol.Tcp], probe.Flows().Select(each => each.Protocol).Distinct());
    }

    [Theory]
    [InlineData("192.0.2.2", FlowDirection.Out)]
    [InlineData("198.51.100.2", FlowDirection.In)]
    [InlineData("203.0.113.1", FlowDirection.Forward)]
    [InlineData("", FlowDirection.Unknown)]
    public void The_direction_is_told_from_the_hosts_addresses(string own, FlowDirection direction)
    {
        using PacketProbe probe = new PacketProbe().Own([.. own.Split(' ', StringSplitOptions.RemoveEmptyEntries)]);
        probe.Play(FlowProtocol.Tcp, "a:S b:SA");
        Assert.Equal(direction, probe.Flow().Direction);
    }

    [Fact]
    public void Packets_between_the_hosts_own_addresses_are_local()
    {
        using PacketProbe probe = new PacketProbe().Own("192.0.2.2", "198.51.100.2");
        probe.Play(FlowProtocol.Tcp, "a:S b:SA");
        Assert.Equal(FlowDirection.Local, probe.Flow().Direction);
    }
}
