using System.Buffers.Binary;
using Conntracker.Core.Captures;
using Conntracker.Core.Netlink;
using Conntracker.Core.Recording;
using Conntracker.Core.Tracing.Nftables;
using Xunit;
using static Conntracker.Core.Native.NftablesConstants;

namespace Conntracker.Tests.Unit;

/// <summary>Messages of nftables' trace and of its ruleset's changes: whatever the bytes are, counted, never a crash.</summary>
public class NftTraceDecoderTests
{
    private const int AttributesStart = 20;

    private static readonly List<Frame> s_frames = Fixture.Frames(Path.Combine(Path.GetDirectoryName(Fixture.Traffic)!, "trace-nftables.ctrec"));
    private static readonly List<byte[]> s_traces = [.. s_frames.Where(each => each.Kind == MessageKind.NftablesTrace).Select(each => each.Data)];

    [Fact]
    public void A_message_tells_what_the_kernel_put_into_it()
    {
        byte[] bytes = new NftTrace
        {
            Table = "t",
            Chain = "c",
            Handle = 0x1_0000_0002,
            Verdict = NFT_JUMP,
            JumpChain = "next",
            Id = 5,
            ConntrackId = 6,
            IsReply = true,
            Packet = new PacketHeader(),
        }.Message();
        Assert.Equal(DecodeResult.Decoded, Decode(bytes, out NftTraceMessage trace));
        Assert.True(trace.Table.SequenceEqual("t"u8) && trace.Chain.SequenceEqual("c"u8) && trace.JumpChain.SequenceEqual("next"u8));
        Assert.Equal((0x1_0000_0002ul, NFT_JUMP, 5u, 6u, true, true, TraceStepType.Rule),
            (trace.Handle, trace.Verdict, trace.Id, trace.ConntrackId, trace.IsReply, trace.HasPacket, trace.Type));
        Assert.Equal((40000, 443), (trace.Packet.Key.Original.SrcPort, trace.Packet.Key.Original.DstPort));
    }

    [Fact]
    public void A_policy_is_its_own_verdict_and_a_later_message_of_a_chain_has_no_header()
    {
        Assert.Equal(DecodeResult.Decoded, Decode(new NftTrace { Type = NFT_TRACETYPE_POLICY, Verdict = NF_DROP }.Message(), out NftTraceMessage trace));
        Assert.Equal((NF_DROP, TraceStepType.Policy, false, false), (trace.Verdict, trace.Type, trace.HasPacket, trace.EntersBaseChain));
    }

    [Fact]
    public void A_recorded_message_that_is_cut_off_anywhere_is_counted_or_lacks_only_what_was_cut()
    {
        foreach (byte[] message in s_traces.Where(each => BitConverter.ToInt32(each) == each.Length).Take(40))
        {
            for (int length = 1; length < message.Length; length++)
            {
                using FlowCollector collector = new(CaptureOptions.MinimumOfMaximumFlows, []);
                collector.Handle(MessageKind.NftablesTrace, 1, message.AsSpan(0, length));
                Assert.Equal(1, collector.Counters.Malformed);

                // With a length that fits, only the attributes are short.
                byte[] cut = message[..length];
                if (length >= 16)
                {
                    BinaryPrimitives.WriteInt32LittleEndian(cut, length);
                    Decode(cut, out _);
                }
            }
        }
    }

    [Theory]
    [InlineData(NFTA_TRACE_RULE_HANDLE, 4)]
    [InlineData(NFTA_TRACE_TYPE, 2)]
    [InlineData(NFTA_TRACE_ID, 8)]
    [InlineData(NFTA_TRACE_POLICY, 0)]
    [InlineData(NFTA_TRACE_CT_ID, 5)]
    [InlineData(NFTA_TRACE_CT_DIRECTION, 4)]
    [InlineData(NFTA_TRACE_CT_STATE, 1)]
    public void A_value_of_the_wrong_size_is_malformed(int type, int size) =>
        Assert.Equal(DecodeResult.Malformed, Decode(With(new NftTrace().Message(), type, new byte[size]), out _));

    [Theory]
    [InlineData("no table", NFTA_TRACE_TABLE)]
    [InlineData("no chain", NFTA_TRACE_CHAIN)]
    public void A_message_without_a_place_is_malformed(string name, int type) =>
        Assert.True(Decode(With(new NftTrace().Message(), type, [0]), out _) == DecodeResult.Malformed, name);

    [Theory]
    [InlineData(0)]
    [InlineData(4)]
    [InlineData(0x7fffffff)]
    public void An_unknown_type_is_malformed(int type) => Assert.Equal(DecodeResult.Malformed, Decode(new NftTrace { Type = type }.Message(), out _));

    [Fact]
    public void Headers_that_are_no_packet_and_unknown_attributes_do_no_harm()
    {
        byte[] message = With(With(new NftTrace().Message(), NFTA_TRACE_NETWORK_HEADER, [0x45, 0]), 200, new byte[77]);
        Assert.Equal(DecodeResult.Decoded, Decode(message, out NftTraceMessage trace));
        Assert.Equal((true, false), (trace.EntersBaseChain, trace.HasPacket));
    }

    [Fact]
    public void A_name_longer_than_any_and_one_that_is_no_text_are_shown_as_far_as_they_go()
    {
        using TraceProbe probe = new();
        probe.Trace(new NftTrace { Table = new string('x', 600), Chain = "\ud800", Handle = 1, Verdict = NF_DROP, Packet = new PacketHeader() });
        Assert.Equal(256, probe.Flow().Trace.Single().Table.Length);
    }

    [Fact]
    public void Bits_flipped_anywhere_in_a_recorded_trace_never_throw_and_stay_within_bounds()
    {
        using FlowCollector collector = new(CaptureOptions.MinimumOfMaximumFlows, []);
        Random random = new(20260102);
        Within(TimeSpan.FromSeconds(60), () =>
        {
            for (int i = 0; i < 100_000; i++)
            {
                Frame frame = s_frames[random.Next(s_frames.Count)];
                byte[] data = [.. frame.Data];
                for (int flips = random.Next(0, 4); flips > 0 && data.Length is > 0 and < 4096; flips--)
                {
                    data[random.Next(data.Length)] ^= (byte)(1 << random.Next(8));
                }

                MessageKind kind = random.Next(50) == 0 ? (MessageKind)random.Next(8, 17) : frame.Kind;
                if (kind is not (MessageKind.NftablesRuleset or MessageKind.IptablesRuleset or MessageKind.Ip6tablesRuleset) || i % 50 == 0)
                {
                    collector.Handle(kind, frame.Time + i, data);
                }
            }

            collector.Tracing.Flush(long.MaxValue);
        });
        Assert.InRange(collector.Counters.Malformed, 1000, 100_000);
        Assert.InRange(collector.FlowCount, 1, CaptureOptions.MinimumOfMaximumFlows);
        Assert.NotEmpty(CollectorProbe.FlowsOf(collector));
    }

    [Theory]
    [InlineData(NFT_MSG_NEWTABLE, true)]
    [InlineData(NFT_MSG_DELTABLE, true)]
    [InlineData(NFT_MSG_NEWCHAIN, true)]
    [InlineData(NFT_MSG_DELCHAIN, true)]
    [InlineData(NFT_MSG_NEWRULE, true)]
    [InlineData(NFT_MSG_DELRULE, true)]
    [InlineData(12, false)]
    [InlineData(NFT_MSG_NEWGEN, false)]
    [InlineData(NFT_MSG_TRACE, false)]
    public void Only_what_may_move_a_rule_is_a_change(int type, bool expected)
    {
        byte[] message = new NftTrace { Table = "fw" }.Message();
        BinaryPrimitives.WriteUInt16LittleEndian(message.AsSpan(4), (ushort)((NFNL_SUBSYS_NFTABLES << 8) | type));
        NetlinkMessageReader reader = new(message);
        Assert.True(reader.TryRead(out NetlinkMessage read));
        bool isChange = RulesetChangeDecoder.TryDecode(in read, out RulesetChange change) && change.Kind != RulesetChangeKind.Committed;
        Assert.Equal(expected, isChange);
        Assert.True(!expected || (change.Family == NFPROTO_INET && change.Table.SequenceEqual("fw"u8)));
    }

    private static void Within(TimeSpan patience, Action work) => Assert.True(Task.Run(work).Wait(patience), "An endless loop.");

    private static DecodeResult Decode(byte[] bytes, out NftTraceMessage trace)
    {
        NetlinkMessageReader reader = new(bytes);
        Assert.True(reader.TryRead(out NetlinkMessage message));
        return NftTraceDecoder.Decode(in message, out trace);
    }

    private static byte[] With(byte[] message, int type, byte[] value)
    {
        NetlinkWriter writer = new(new byte[value.Length + 8]);
        writer.WriteBytes(type, value);
        byte[] longer = [.. message, .. writer.Written];
        BinaryPrimitives.WriteInt32LittleEndian(longer, longer.Length);
        Assert.True(longer.Length > AttributesStart);
        return longer;
    }
}
