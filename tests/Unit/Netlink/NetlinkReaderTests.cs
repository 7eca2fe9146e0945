using Conntracker.Core.Native;
using Conntracker.Core.Netlink;
using Xunit;

namespace Conntracker.Tests.Unit;

public class NetlinkReaderTests
{
    [Theory]
    [InlineData("length 0", new byte[] { 0, 0, 1, 0 }, "malformed")]
    [InlineData("length 1", new byte[] { 1, 0, 1, 0 }, "malformed")]
    [InlineData("length 3", new byte[] { 3, 0, 1, 0, 9, 9, 9, 9 }, "malformed")]
    [InlineData("length 4, no value", new byte[] { 4, 0, 1, 0 }, "1:0")]
    [InlineData("length one past the end", new byte[] { 9, 0, 1, 0, 1, 2, 3, 4 }, "malformed")]
    [InlineData("length 65535", new byte[] { 255, 255, 1, 0, 1, 2, 3, 4 }, "malformed")]
    [InlineData("unaligned, the next one behind its padding", new byte[] { 5, 0, 1, 0, 7, 0, 0, 0, 6, 0, 2, 0, 8, 8 }, "1:1 2:2")]
    [InlineData("unaligned and last, without its padding", new byte[] { 7, 0, 3, 0, 1, 2, 3 }, "3:3")]
    [InlineData("three bytes behind the last one", new byte[] { 4, 0, 1, 0, 9, 9, 9 }, "1:0")]
    [InlineData("a good one, then a bad one", new byte[] { 4, 0, 1, 0, 2, 0, 2, 0 }, "1:0 malformed")]
    [InlineData("nothing", new byte[0], "")]
    public void Attributes_are_read_up_to_the_first_that_does_not_fit(string name, byte[] bytes, string expected)
    {
        NetlinkAttributeReader reader = new(bytes);
        List<string> read = [];
        while (reader.Read())
        {
            read.Add($"{reader.Type}:{reader.Value.Length}");
        }

        read.AddRange(reader.IsMalformed ? ["malformed"] : []);
        Assert.True(expected == string.Join(' ', read), $"{name}: {string.Join(' ', read)}");
        Assert.False(reader.Read(), "Once at its end, a reader stays there.");
    }

    [Theory]
    [InlineData(0x8003)]
    [InlineData(0x4003)]
    [InlineData(0xc003)]
    public void The_flags_of_an_attribute_are_no_part_of_its_type(int type)
    {
        NetlinkAttributeReader reader = new([4, 0, (byte)type, (byte)(type >> 8)]);
        Assert.True(reader.Read());
        Assert.Equal(3, reader.Type);
    }

    [Fact]
    public void Numbers_are_read_in_network_order()
    {
        NetlinkAttributeReader reader = new([5, 0, 1, 0, 0xab, 0, 0, 0, 6, 0, 2, 0, 1, 2, 0, 0, 8, 0, 3, 0, 1, 2, 3, 4, 12, 0, 4, 0, 1, 2, 3, 4, 5, 6, 7, 8]);
        Assert.True(reader.Read());
        Assert.Equal(0xab, reader.ReadByte());
        Assert.True(reader.Read());
        Assert.Equal(0x0102, reader.ReadUInt16BigEndian());
        Assert.True(reader.Read());
        Assert.Equal(0x01020304u, reader.ReadUInt32BigEndian());
        Assert.True(reader.Read());
        Assert.Equal(0x0102030405060708u, reader.ReadUInt64BigEndian());
        Assert.False(reader.IsMalformed);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(3)]
    [InlineData(5)]
    public void A_number_of_another_size_reads_as_zero_and_is_marked(int size)
    {
        NetlinkAttributeReader reader = new([(byte)(4 + size), 0, 1, 0, .. Enumerable.Repeat((byte)0xff, size)]);
        Assert.True(reader.Read());
        Assert.Equal(0u, reader.ReadUInt32BigEndian());
        Assert.True(reader.IsMalformed);
    }

    [Theory]
    [InlineData("length 0", 0u)]
    [InlineData("length 1", 1u)]
    [InlineData("one short of the header", 15u)]
    [InlineData("one past the end", 25u)]
    [InlineData("65535", 65535u)]
    [InlineData("past the greatest int", 0x80000010u)]
    [InlineData("the greatest", uint.MaxValue)]
    public void A_message_whose_length_does_not_fit_ends_the_walk(string name, uint length)
    {
        byte[] datagram = new byte[24];
        BitConverter.TryWriteBytes(datagram, length);
        NetlinkMessageReader reader = new(datagram);
        Assert.False(reader.TryRead(out _), name);
        Assert.True(reader.IsMalformed, name);
        Assert.False(reader.TryRead(out _), name);
    }

    [Fact]
    public void Messages_follow_each_other_also_when_their_lengths_are_no_multiples_of_four()
    {
        byte[] datagram = [.. Message(length: 17, type: 300), 0, 0, 0, .. Message(length: 18, type: 301), 0, 0, .. Message(length: 19, type: 302)];
        NetlinkMessageReader reader = new(datagram);
        for (int i = 0; i < 3; i++)
        {
            Assert.True(reader.TryRead(out NetlinkMessage message));
            Assert.Equal((300 + i, 1 + i), (message.Type, message.Payload.Length));
        }

        Assert.False(reader.TryRead(out _));
        Assert.False(reader.IsMalformed);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(15)]
    public void What_is_too_short_for_a_head_is_malformed(int length)
    {
        NetlinkMessageReader reader = new(new byte[length]);
        Assert.False(reader.TryRead(out _));
        Assert.True(reader.IsMalformed);
    }

    [Fact]
    public void An_empty_datagram_is_not_malformed()
    {
        NetlinkMessageReader reader = new([]);
        Assert.False(reader.TryRead(out _));
        Assert.False(reader.IsMalformed);
    }

    [Fact]
    public void What_the_writer_wrote_the_readers_read()
    {
        NetlinkWriter writer = new(new byte[256]);
        writer.BeginMessage(300, NetlinkConstants.NLM_F_REQUEST | NetlinkConstants.NLM_F_ACK, 7);
        writer.WriteStruct(new nfgenmsg { nfgen_family = 2, version = 1, res_id = 3 });
        int outer = writer.BeginNested(1);
        writer.WriteByte(2, 0xab);
        writer.WriteUInt16BigEndian(3, 0xabcd);
        writer.EndNested(outer);
        writer.WriteUInt64BigEndian(4, ulong.MaxValue - 1);
        writer.EndMessage();
        writer.BeginMessage(301, 0, 8);
        writer.EndMessage();

        NetlinkMessageReader reader = new(writer.Written);
        Assert.True(reader.TryRead(out NetlinkMessage message));
        Assert.Equal((300, 5, 7u), (message.Type, message.Flags, message.Sequence));
        Assert.Equal([2, 1, 3, 0], message.Payload[..4].ToArray());
        NetlinkAttributeReader attributes = new(message.Payload[4..]);
        Assert.True(attributes.Read());
        Assert.Equal(1, attributes.Type);
        NetlinkAttributeReader nested = new(attributes.Value);
        Assert.True(nested.Read());
        Assert.Equal(0xab, nested.ReadByte());
        Assert.True(nested.Read());
        Assert.Equal(0xabcd, nested.ReadUInt16BigEndian());
        Assert.False(nested.Read());
        Assert.True(attributes.Read());
        Assert.Equal(ulong.MaxValue - 1, attributes.ReadUInt64BigEndian());
        Assert.False(attributes.Read() || attributes.IsMalformed);
        Assert.True(reader.TryRead(out message));
        Assert.Equal((301, 0, 8u), (message.Type, message.Flags, message.Sequence));
        Assert.False(reader.TryRead(out _));
    }

    [Fact]
    public void A_nested_attribute_bears_its_flag_and_padding_is_zero()
    {
        byte[] buffer = [.. Enumerable.Repeat((byte)0xee, 32)];
        NetlinkWriter writer = new(buffer);
        int nested = writer.BeginNested(1);
        writer.WriteByte(2, 9);
        writer.EndNested(nested);
        Assert.Equal([12, 0, 1, 0x80, 5, 0, 2, 0, 9, 0, 0, 0], writer.Written.ToArray());
    }

    private static byte[] Message(int length, ushort type)
    {
        byte[] message = new byte[length];
        BitConverter.TryWriteBytes(message, length);
        BitConverter.TryWriteBytes(message.AsSpan(4), type);
        return message;
    }
}
