using System.Buffers.Binary;
using Conntracker.Core.Captures;
using Conntracker.Core.Conntrack;
using Conntracker.Core.Flows;
using Conntracker.Core.Native;
using Conntracker.Core.Netlink;
using Conntracker.Core.Recording;
using Xunit;
using static Conntracker.Core.Native.ConntrackConstants;

namespace Conntracker.Tests.Unit;

/// <summary>Bytes that no kernel should send: counted, and never a crash, an endless loop or a flow out of nothing.</summary>
public class MutatedInputTests
{
    private const int NetlinkHeader = 16;
    private const int AttributesStart = 20;
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(60);
    private static readonly List<Frame> s_messages = Fixture.Messages(Fixture.Traffic);

    [Fact]
    public void The_recording_holds_events_dump_entries_and_addresses_to_mutate() =>
        Assert.Equal(
            [MessageKind.ConntrackEvent, MessageKind.ConntrackDump, MessageKind.Addresses],
            s_messages.Select(each => each.Kind).Distinct().Order());

    [Fact]
    public void A_datagram_that_was_cut_off_anywhere_is_counted_and_makes_no_flow()
    {
        using FlowCollector collector = new(CaptureOptions.MinimumOfMaximumFlows, []);
        long cuts = 0;
        foreach (Frame frame in s_messages)
        {
            for (int length = 1; length < frame.Data.Length; length++, cuts++)
            {
                collector.Handle(frame.Kind, frame.Time, frame.Data.AsSpan(0, length));
            }
        }

        Assert.Equal((0, cuts, 0L), (collector.FlowCount, collector.Counters.Malformed, collector.Counters.Events));
    }

    [Fact]
    public void A_message_whose_length_was_cut_too_is_decoded_only_when_cut_between_attributes()
    {
        FlowUpdate decoded = default;
        foreach (Frame frame in s_messages.Where(each => each.Kind != MessageKind.Addresses && IsConntrack(each.Data)))
        {
            HashSet<int> boundaries = Boundaries(frame.Data);
            for (int length = NetlinkHeader; length < frame.Data.Length; length++)
            {
                byte[] cut = frame.Data[..length];
                BinaryPrimitives.WriteInt32LittleEndian(cut, length);
                NetlinkMessageReader reader = new(cut);
                Assert.True(reader.TryRead(out NetlinkMessage message));
                DecodeResult result = ConntrackDecoder.Decode(in message, frame.Kind == MessageKind.ConntrackDump, ref decoded);
                Assert.NotEqual(DecodeResult.Ignored, result);
                Assert.True(result == DecodeResult.Malformed || boundaries.Contains(length), $"Cut after {length} bytes of {frame.Data.Length}, and decoded.");
            }
        }
    }

    [Fact]
    public void Bits_flipped_anywhere_never_throw_and_never_hang()
    {
        const int Mutations = 200_000;
        using FlowCollector collector = new(CaptureOptions.MinimumOfMaximumFlows, []);
        Within(s_patience, () =>
        {
            Random random = new(20260101);
            for (int i = 0; i < Mutations; i++)
            {
                Frame frame = s_messages[random.Next(s_messages.Count)];
                byte[] data = [.. frame.Data];
                for (int flips = random.Next(1, 5); flips > 0; flips--)
                {
                    data[random.Next(data.Length)] ^= (byte)(1 << random.Next(8));
                }

                collector.Handle(frame.Kind, frame.Time + i, data);
            }
        });

        Assert.InRange(collector.Counters.Malformed, Mutations / 100, Mutations);
        Assert.InRange(collector.FlowCount, 1, CaptureOptions.MinimumOfMaximumFlows);
        collector.Handle(MessageKind.ConntrackEvent, DateTime.MaxValue.Ticks, new Conn { Src = "203.0.113.77", SrcPort = 77 }.New());
        Assert.Contains(CollectorProbe.FlowsOf(collector), each => each.SrcPort == 77);
    }

    [Fact]
    public void Bytes_without_any_sense_never_throw_and_never_hang()
    {
        using FlowCollector collector = new(CaptureOptions.MinimumOfMaximumFlows, []);
        MessageKind[] kinds = [MessageKind.ConntrackEvent, MessageKind.ConntrackDump,
            MessageKind.Addresses, MessageKind.DumpRequested, MessageKind.Lost, (MessageKind)77];
        Within(s_patience, () =>
        {
            Random random = new(4711);
            byte[] data = new byte[256];
            for (int i = 0; i < 50_000; i++)
            {
                random.NextBytes(data);
                int length = random.Next(data.Length);

                // Half of them with a header that fits, so that the attributes are reached.
                if (i % 2 == 0 && length > AttributesStart)
                {
                    BinaryPrimitives.WriteInt32LittleEndian(data, length);
                    BinaryPrimitives.WriteUInt16LittleEndian(data.AsSpan(4), NFNL_SUBSYS_CTNETLINK << 8);
                    data[NetlinkHeader] = NftablesConstants.NFPROTO_IPV4;
                }

                collector.Handle(kinds[i % kinds.Length], i, data.AsSpan(0, length));
            }
        });
        Assert.Equal(0, collector.FlowCount);
        Assert.True(collector.Counters.Malformed > 10_000);
        Assert.True(collector.Counters.Lost >= 0);
    }

    [Theory]
    [InlineData("0", 0)]
    [InlineData("1", 1)]
    [InlineData("3", 3)]
    [InlineData("one too long", -1)]
    [InlineData("65535", 65535)]
    public void An_attribute_whose_length_does_not_fit_is_malformed_at_every_level(string name, int length)
    {
        byte[] intact = new Conn { State = 3, Counters = Conn.Count(1, 1) }.New();
        foreach (int offset in AttributeOffsets(intact))
        {
            byte[] broken = [.. intact];
            int wrong = length >= 0 ? length : broken.Length - offset + 1;
            BinaryPrimitives.WriteUInt16LittleEndian(broken.AsSpan(offset), (ushort)wrong);
            using CollectorProbe probe = new();
            probe.Event(broken);
            Assert.True(probe.Counters is { Malformed: 1, Events: 0 }, $"A length of {name} at offset {offset} was taken.");
        }
    }

    [Theory]
    [InlineData(CTA_STATUS, 3)]
    [InlineData(CTA_ID, 5)]
    [InlineData(CTA_MARK, 0)]
    [InlineData(CTA_ZONE, 4)]
    public void A_value_of_the_wrong_size_is_malformed(int type, int size)
    {
        using CollectorProbe probe = new();
        probe.Event(WithAttribute(new Conn().New(), type, new byte[size]));
        Assert.Equal((1, 0), (probe.Counters.Malformed, probe.Collector.FlowCount));
    }

    [Fact]
    public void Attributes_nested_a_thousand_deep_are_harmless()
    {
        byte[] deep = [];
        for (int depth = 0; depth < 1000; depth++)
        {
            deep = [.. Attribute(CTA_TUPLE_IP, deep)];
        }

        using CollectorProbe probe = new();
        probe.Event(WithAttribute(new Conn { SrcPort = 1 }.New(), CTA_TUPLE_ORIG, deep));
        probe.Event(WithAttribute(new Conn { SrcPort = 2 }.New(), CTA_PROTOINFO, deep));
        probe.Event(WithAttribute(new Conn { SrcPort = 3 }.New(), 4242, deep));
        Assert.Equal((2, 3), (probe.Counters.Malformed, (int)probe.Flow().SrcPort!.Value));
    }

    [Fact]
    public void A_message_far_longer_than_any_real_one_is_read_to_its_end()
    {
        byte[] longer = [];
        for (int i = 0; i < 16; i++)
        {
            longer = [.. longer, .. Attribute(200 + i, new byte[65_528])];
        }

        byte[] message = new Conn().New();
        byte[] oversize = [.. message[..AttributesStart], .. longer, .. message[AttributesStart..]];
        BinaryPrimitives.WriteInt32LittleEndian(oversize, oversize.Length);
        using CollectorProbe probe = new();
        probe.Event(oversize);
        Assert.Equal((0, 40000), (probe.Counters.Malformed, (int)probe.Flow().SrcPort!.Value));
    }

    [Fact]
    public void An_intact_message_behind_a_malformed_one_is_still_decoded()
    {
        byte[] malformed = WithAttribute(new Conn { SrcPort = 1 }.New(), CTA_STATUS, [1]);
        using CollectorProbe probe = new();
        probe.Event([.. malformed, .. new Conn { SrcPort = 2 }.New()]);
        probe.Event([.. new Conn { SrcPort = 3 }.New(), 1, 2, 3]);
        probe.Event(new Conn { SrcPort = 4 }.New());
        Assert.Equal(2, probe.Counters.Malformed);
        Assert.Equal([2, 3, 4], probe.Flows().Select(each => (int)each.SrcPort!.Value).Order());
    }

    [Theory]
    [InlineData("expectations (subsystem 2)", 0x0200)]
    [InlineData("statistics of conntrack (message 5)", 0x0105)]
    [InlineData("nothing (NLMSG_NOOP)", 1)]
    public void A_message_of_no_concern_is_neither_counted_nor_malformed(string name, ushort type)
    {
        byte[] message = new Conn().New();
        BinaryPrimitives.WriteUInt16LittleEndian(message.AsSpan(4), type);
        using CollectorProbe probe = new();
        probe.Event(message);
        Assert.True(probe.Counters is { Events: 0, Malformed: 0 }, name);
        Assert.Empty(probe.Flows());
    }

    [Fact]
    public void A_family_that_has_no_flows_is_malformed()
    {
        byte[] message = new Conn().New();
        message[NetlinkHeader] = 7;
        using CollectorProbe probe = new();
        probe.Event(message);
        Assert.Equal(1, probe.Counters.Malformed);
    }

    [Fact]
    public void A_datagram_too_long_for_its_buffer_is_lost_and_said_to_be()
    {
        using CollectorProbe probe = new();
        probe.Take(MessageKind.Truncated);
        Assert.Equal((1, 1), (probe.Counters.Lost, probe.Counters.Malformed));
    }

    private static bool IsConntrack(byte[] message) => message[5] == NFNL_SUBSYS_CTNETLINK;

    // Where a message may end: behind an attribute, and in what pads it or could never be one.
    private static HashSet<int> Boundaries(byte[] message)
    {
        HashSet<int> ends = [];
        bool isFirst = true;
        for (int start = AttributesStart; start < message.Length;)
        {
            int length = BinaryPrimitives.ReadUInt16LittleEndian(message.AsSpan(start));
            int padded = NetlinkAlignment.Align(length);
            for (int end = start + length; end < start + padded + 4; end++)
            {
                ends.Add(end);
            }

            Assert.True(!isFirst || (message[start + 2] & 0x3f) == CTA_TUPLE_ORIG, "The kernel writes the original tuple first.");
            isFirst = false;
            start += padded;
        }

        return ends;
    }

    // Where attributes begin, at all levels, in a message that NetlinkWriter wrote (nested ones bear the flag).
    private static List<int> AttributeOffsets(byte[] message)
    {
        List<int> offsets = [];
        Walk(AttributesStart, message.Length);
        Assert.True(offsets.Count > 20);
        return offsets;

        void Walk(int start, int end)
        {
            while (start < end)
            {
                offsets.Add(start);
                int length = BinaryPrimitives.ReadUInt16LittleEndian(message.AsSpan(start));
                if ((message[start + 3] & 0x80) != 0)
                {
                    Walk(start + 4, start + length);
                }

                start += NetlinkAlignment.Align(length);
            }
        }
    }

    private static byte[] Attribute(int type, byte[] value)
    {
        NetlinkWriter writer = new(new byte[value.Length + 8]);
        writer.WriteBytes(type, value);
        return writer.Written.ToArray();
    }

    private static byte[] WithAttribute(byte[] message, int type, byte[] value)
    {
        byte[] longer = [.. message, .. Attribute(type, value)];
        BinaryPrimitives.WriteInt32LittleEndian(longer, longer.Length);
        return longer;
    }

    private static void Within(TimeSpan patience, Action work) =>
        Assert.True(Task.Run(work).Wait(patience), $"Not done after {patience.TotalSeconds} s: an endless loop.");
}
