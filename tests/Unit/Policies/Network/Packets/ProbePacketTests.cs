using System.Buffers.Binary;
using System.Net;
using Conntracker.Core.Addresses;
using Conntracker.Core.Flows;
using Conntracker.Core.Packets;
using Conntracker.Core.Policies.Network.Packets;
using Xunit;

namespace Conntracker.Tests.Unit.Policies.Network.Packets;

/// <summary>The packets of a test are what their tuple says, to the decoder of captured packets as well, and so are their answers.</summary>
public sealed class ProbePacketTests
{
    private static readonly IPAddress s_client4 = IPAddress.Parse("203.0.113.9");
    private static readonly IPAddress s_server4 = IPAddress.Parse("192.0.2.1");
    private static readonly IPAddress s_client6 = IPAddress.Parse("2001:db8:1::9");
    private static readonly IPAddress s_server6 = IPAddress.Parse("2001:db8::1");

    public static TheoryData<int, int> Protocols
    {
        get
        {
            TheoryData<int, int> data = [];
            foreach (int protocol in (int[])[4, 6, 17, 33, 41, 47, 50, 51, 89, 112, 132, 136, 200, 255])
            {
                data.Add(4, protocol);
                data.Add(6, protocol);
            }

            data.Add(4, 2);
            return data;
        }
    }

    public static TheoryData<int, int> IcmpTypes =>
        [.. Enumerable.Range(0, 256).SelectMany(each => new (int, int)[] { (4, each), (6, each) })];

    [Theory]
    [MemberData(nameof(Protocols))]
    public void A_packet_has_its_tuple_and_its_number(int version, int protocol)
    {
        foreach (ProbeKind kind in Enum.GetValues<ProbeKind>())
        {
            ProbeTuple tuple = Tuple(version, (FlowProtocol)protocol);
            byte[] packet = Write(tuple, 54321, kind);
            Assert.True(ProbeHeader.TryRead(packet, out ProbeHeader header));
            Assert.Equal(tuple, header.Tuple);
            Assert.Equal(54321u, header.Number);
            Assert.Equal(packet.Length, header.End);
            ProbeChecksums.Check(packet, header);

            // The decoder of captured packets looks behind IPv6's authentication header.
            Assert.Equal(PacketResult.Decoded, PacketDecoder.Decode(packet, out PacketTuple decoded));
            Assert.Equal(protocol == 51 && version == 6 ? (FlowProtocol)59 : (FlowProtocol)protocol, decoded.Key.Protocol);
            Assert.Equal(tuple.Source, decoded.Key.Original.Src);
            Assert.Equal(tuple.Destination, decoded.Key.Original.Dst);
            Assert.Equal(packet.Length, decoded.Length);
            if (FlowKey.HasPorts(tuple.Protocol))
            {
                Assert.Equal((tuple.SourcePort, tuple.DestinationPort), (decoded.Key.Original.SrcPort, decoded.Key.Original.DstPort));
            }
        }
    }

    [Theory]
    [MemberData(nameof(IcmpTypes))]
    public void A_message_of_ICMP_has_its_type_and_its_checksum(int version, int type)
    {
        ProbeTuple tuple = Message(version, (byte)type);
        byte[] packet = Write(tuple, 7, ProbeKind.First);
        Assert.True(ProbeHeader.TryRead(packet, out ProbeHeader header));
        Assert.Equal(tuple with { IcmpId = header.Tuple.IcmpId }, header.Tuple);
        ProbeChecksums.Check(packet, header);
        Assert.Equal(PacketResult.Decoded, PacketDecoder.Decode(packet, out PacketTuple decoded));

        // An error is about a datagram that the receiver of the error has sent.
        bool isError = Icmp.IsError(tuple.Protocol, (byte)type);
        bool quotes = isError && (version == 4 || type is >= 1 and <= 4);
        Assert.Equal(isError, decoded.IsIcmpError);
        Assert.Equal(quotes ? FlowProtocol.Udp : tuple.Protocol, decoded.Key.Protocol);
        Assert.Equal(tuple.Source, decoded.Key.Original.Src);
    }

    [Fact]
    public void Queries_carry_their_identifier()
    {
        foreach ((int version, byte type) in (ReadOnlySpan<(int, byte)>)[(4, 8), (4, 0), (4, 13), (4, 17), (6, 128), (6, 129)])
        {
            Assert.True(ProbeHeader.TryRead(Write(Message(version, type), 7, ProbeKind.First), out ProbeHeader header));
            Assert.Equal(4711, header.Tuple.IcmpId);
        }
    }

    [Theory]
    [InlineData(133, 255)]
    [InlineData(134, 255)]
    [InlineData(135, 255)]
    [InlineData(136, 255)]
    [InlineData(143, 1)]
    [InlineData(128, 64)]
    public void Neighbour_discovery_has_the_hop_limit_that_receivers_ask_for(int type, int hops) =>
        Assert.Equal(hops, Write(Message(6, (byte)type), 7, ProbeKind.First)[7]);

    [Fact]
    public void IGMP_has_the_router_alert_and_stays_on_the_link()
    {
        ProbeTuple tuple = Tuple(4, FlowProtocol.Igmp) with { Destination = AddressBits.From(IPAddress.Parse("224.0.0.22")) };
        byte[] packet = Write(tuple, 7, ProbeKind.First);
        Assert.Equal(0x46, packet[0]);
        Assert.Equal(1, packet[8]);
        Assert.Equal([0x94, 4, 0, 0], packet[20..24]);
        Assert.Equal(0x22, packet[24]);
    }

    [Fact]
    public void A_TCP_connection_is_made_by_the_answers_to_the_answers()
    {
        byte[] syn = Write(Tuple(4, FlowProtocol.Tcp), 1, ProbeKind.First);
        byte[] synAck = Answer(syn, 2);
        byte[] ack = Answer(synAck, 3);
        Assert.Equal((2, 18, 16), (syn[33], synAck[33], ack[33]));
        Assert.Equal(Sequence(syn) + 1, Acknowledgement(synAck));
        Assert.Equal(Sequence(synAck) + 1, Acknowledgement(ack));
        Assert.Equal(Sequence(syn) + 1, Sequence(ack));

        // What comes next fits the handshake.
        byte[] data = Write(Tuple(4, FlowProtocol.Tcp), 4, ProbeKind.Data);
        Assert.Equal(Sequence(ack), Sequence(data));
        Assert.Equal(Acknowledgement(ack), Acknowledgement(data));
        Assert.Equal(Sequence(data) + 8, Acknowledgement(Answer(data, 5)));
        AssertSwapped(syn, synAck);
        AssertSwapped(synAck, ack);
    }

    [Fact]
    public void An_SCTP_association_is_made_by_the_answers_to_the_answers()
    {
        byte[] packet = Write(Tuple(6, FlowProtocol.Sctp), 1, ProbeKind.First);
        List<int> chunks = [packet[52]];
        List<uint> tags = [BinaryPrimitives.ReadUInt32BigEndian(packet.AsSpan(44))];
        for (uint number = 2; number < 5; number++)
        {
            byte[] answer = Answer(packet, number);
            AssertSwapped(packet, answer);
            packet = answer;
            chunks.Add(packet[52]);
            tags.Add(BinaryPrimitives.ReadUInt32BigEndian(packet.AsSpan(44)));
        }

        // INIT, INIT ACK, COOKIE ECHO, COOKIE ACK: after the INIT each carries the tag of its receiver.
        Assert.Equal([1, 2, 10, 11], chunks);
        Assert.Equal(0u, tags[0]);
        Assert.Equal(tags[1], tags[3]);
        Assert.NotEqual(tags[1], tags[2]);
        Assert.Equal(BinaryPrimitives.ReadUInt32BigEndian(Write(Tuple(6, FlowProtocol.Sctp), 1, ProbeKind.First).AsSpan(56)), tags[1]);
        Assert.Empty(Reply(packet, 5));
    }

    [Theory]
    [InlineData(4, 17)]
    [InlineData(6, 17)]
    [InlineData(4, 33)]
    [InlineData(4, 47)]
    [InlineData(6, 50)]
    [InlineData(4, 51)]
    [InlineData(4, 136)]
    [InlineData(4, 200)]
    public void Other_packets_are_answered_by_their_receiver(int version, int protocol)
    {
        byte[] packet = Write(Tuple(version, (FlowProtocol)protocol), 1, ProbeKind.First);
        AssertSwapped(packet, Answer(packet, 2));
    }

    [Theory]
    [InlineData(4, 8, 0)]
    [InlineData(4, 13, 14)]
    [InlineData(4, 17, 18)]
    [InlineData(6, 128, 129)]
    [InlineData(6, 135, 136)]
    public void ICMP_queries_are_answered_with_their_identifier(int version, byte type, byte answer)
    {
        byte[] packet = Write(Message(version, type), 1, ProbeKind.First);
        Assert.True(ProbeHeader.TryRead(packet, out ProbeHeader asked));
        Assert.True(ProbeHeader.TryRead(Answer(packet, 2), out ProbeHeader header));
        Assert.Equal(asked.Tuple.Swapped() with { IcmpType = answer, IcmpCode = 0 }, header.Tuple);
    }

    [Theory]
    [InlineData("192.0.2.1", "255.255.255.255")]
    [InlineData("192.0.2.1", "224.0.0.251")]
    [InlineData("0.0.0.0", "192.0.2.1")]
    [InlineData("fe80::1", "ff02::fb")]
    [InlineData("::", "fe80::1")]
    public void Nobody_answers_groups(string source, string destination)
    {
        byte[] packet = Write(ProbeTuple.Of(FlowProtocol.Udp, IPAddress.Parse(source), 5353, IPAddress.Parse(destination), 5353), 1, ProbeKind.First);
        Assert.Empty(Reply(packet, 2));
    }

    [Fact]
    public void Nobody_answers_errors_and_replies_of_ICMP()
    {
        Assert.Empty(Reply(Write(Message(4, 3), 1, ProbeKind.First), 2));
        Assert.Empty(Reply(Write(Message(4, 0), 1, ProbeKind.First), 2));
        Assert.Empty(Reply(Write(Message(6, 1), 1, ProbeKind.First), 2));
        Assert.Empty(Reply([], 2));
        Assert.Empty(Reply(new byte[60], 2));
    }

    [Theory]
    [InlineData(4)]
    [InlineData(6)]
    public void An_error_is_about_the_packet_that_it_quotes(int version)
    {
        byte[] packet = Write(Tuple(version, FlowProtocol.Tcp), 1, ProbeKind.First);
        Span<byte> buffer = new byte[ProbeReplyWriter.MaximumLength];
        ReadOnlySpan<byte> error = buffer[..ProbeReplyWriter.WriteError(buffer, packet, 9)];
        Assert.True(ProbeHeader.TryRead(error, out ProbeHeader header));
        ProbeChecksums.Check(error, header);
        Assert.True(PacketDecoder.TryDecode(error, out PacketTuple decoded));
        Assert.True(decoded.IsIcmpError);
        Assert.Equal(FlowProtocol.Tcp, decoded.Key.Protocol);
        Assert.Equal((443, 40000), (decoded.Key.Original.SrcPort, decoded.Key.Original.DstPort));
        Assert.Equal(0, ProbeReplyWriter.WriteError(buffer, error.ToArray(), 10));
    }

    [Theory]
    [InlineData(4, 0u)]
    [InlineData(4, 65536u)]
    [InlineData(6, 0u)]
    [InlineData(6, 1048576u)]
    public void A_number_that_does_not_fit_is_refused(int version, uint number) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => Write(Tuple(version, FlowProtocol.Udp), number, ProbeKind.First));

    [Fact]
    public void Damaged_packets_are_read_without_an_exception()
    {
        Random random = new(1);
        foreach (int version in (int[])[4, 6])
        {
            foreach (FlowProtocol protocol in (FlowProtocol[])[FlowProtocol.Tcp, FlowProtocol.Sctp, FlowProtocol.Dccp, FlowProtocol.Udp, FlowProtocol.Gre])
            {
                byte[] whole = Write(Tuple(version, protocol), 1, ProbeKind.First);
                byte[] buffer = new byte[ProbeReplyWriter.MaximumLength];
                for (int i = 0; i < 2000; i++)
                {
                    byte[] damaged = whole[..random.Next(whole.Length + 1)];
                    for (int flips = random.Next(4); flips > 0 && damaged.Length > 0; flips--)
                    {
                        damaged[random.Next(damaged.Length)] = (byte)random.Next(256);
                    }

                    Assert.InRange(ProbeReplyWriter.Write(buffer, damaged, 2), 0, buffer.Length);
                    Assert.InRange(ProbeReplyWriter.WriteError(buffer, damaged, 2), 0, buffer.Length);
                }
            }
        }
    }

    // RFC 1071, section 3: the sum of these words is ddf2.
    [Fact]
    public void The_checksum_is_that_of_the_RFC() =>
        Assert.Equal(0x220d, InternetChecksum.Finish(InternetChecksum.Add(0, [0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7])));

    private static ProbeTuple Tuple(int version, FlowProtocol protocol)
    {
        bool hasPorts = FlowKey.HasPorts(protocol);
        IPAddress client = version == 4 ? s_client4 : s_client6;
        IPAddress server = version == 4 ? s_server4 : s_server6;
        return ProbeTuple.Of(protocol, client, (ushort)(hasPorts ? 40000 : 0), server, (ushort)(hasPorts ? 443 : 0));
    }

    private static ProbeTuple Message(int version, byte type) =>
        ProbeTuple.OfIcmp(version == 4 ? s_client4 : s_client6, version == 4 ? s_server4 : s_server6, type, 0, 4711);

    private static byte[] Write(ProbeTuple tuple, uint number, ProbeKind kind)
    {
        // What was in the buffer before must not matter.
        byte[] buffer = new byte[ProbePacketWriter.MaximumLength];
        buffer.AsSpan().Fill(0xa5);
        return buffer[..ProbePacketWriter.Write(buffer, tuple, number, kind)];
    }

    private static byte[] Reply(byte[] packet, uint number)
    {
        byte[] buffer = new byte[ProbeReplyWriter.MaximumLength];
        buffer.AsSpan().Fill(0xa5);
        return buffer[..ProbeReplyWriter.Write(buffer, packet, number)];
    }

    private static byte[] Answer(byte[] packet, uint number)
    {
        byte[] answer = Reply(packet, number);
        Assert.True(ProbeHeader.TryRead(answer, out ProbeHeader header));
        Assert.Equal(number, header.Number);
        ProbeChecksums.Check(answer, header);
        return answer;
    }

    private static void AssertSwapped(byte[] packet, byte[] answer)
    {
        Assert.True(ProbeHeader.TryRead(packet, out ProbeHeader from));
        Assert.True(ProbeHeader.TryRead(answer, out ProbeHeader to));
        Assert.Equal(from.Tuple.Swapped(), to.Tuple);
    }

    private static uint Sequence(byte[] packet) => BinaryPrimitives.ReadUInt32BigEndian(packet.AsSpan(24));

    private static uint Acknowledgement(byte[] packet) => BinaryPrimitives.ReadUInt32BigEndian(packet.AsSpan(28));
}
