using System.Buffers.Binary;
using System.Text;
using Conntracker.Core.Native;
using Conntracker.Core.Netlink;
using Conntracker.Core.Tracing.Iptables;
using Xunit;
using static Conntracker.Core.Native.NflogConstants;

namespace Conntracker.Tests.Unit;

/// <summary>What the kernel sends through NFLOG of traced packets: every step, with the packet that took it.</summary>
public class NflogDecoderTests
{
    private const string Syn4 = "Tcp 192.0.2.2:41000 > 192.0.2.1:5000";
    private const string Blocked6 = "Tcp 2001:db8:1::2:41001 > 2001:db8:1::1:5001";

    private static readonly List<byte[]> s_datagrams = TraceFixture.Datagrams();

    [Fact]
    public void A_packet_is_followed_through_tables_chains_and_policies()
    {
        List<string> steps = [.. All().Where(each => each.EndsWith(Syn4, StringComparison.Ordinal)).Take(4)];
        Assert.Equal(
            [
                $"IPv4 0 raw|PREROUTING|Policy|2 {Syn4}",
                $"IPv4 1 filter|INPUT|Rule|1 {Syn4}",
                $"IPv4 1 filter|odd:name-:1|Return|2 {Syn4}",
                $"IPv4 1 filter|INPUT|Policy|4 {Syn4}",
            ],
            steps);
    }

    [Fact]
    public void A_packet_that_a_rule_drops_ends_there()
    {
        // Sent once only: connect gives up before it is sent again.
        Assert.Equal(
            [
                $"IPv6 0 raw|PREROUTING|Policy|2 {Blocked6}",
                $"IPv6 1 filter|INPUT|Rule|1 {Blocked6}",
                $"IPv6 1 filter|odd:name-:1|Rule|1 {Blocked6}",
            ],
            All().Where(each => each.EndsWith(Blocked6, StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData("IPv4 3 filter|OUTPUT|Policy|1 Tcp 192.0.2.1:5000 > 192.0.2.2:41000")]
    [InlineData("IPv4 0 raw|PREROUTING|Rule|1 Udp 192.0.2.2:41002 > 192.0.2.1:9999")]
    [InlineData("IPv4 1 filter|INPUT|Rule|3 Udp 192.0.2.2:41004 > 192.0.2.1:9997")]
    [InlineData("IPv4 3 filter|OUTPUT|Policy|1 error Udp 192.0.2.1:9997 > 192.0.2.2:41004")]
    [InlineData("IPv4 1 filter|INPUT|Policy|4 UdpLite 192.0.2.2:41002 > 192.0.2.1:7000")]
    [InlineData("IPv4 1 filter|INPUT|Policy|4 Sctp 192.0.2.2:41005 > 192.0.2.1:9996")]
    [InlineData("IPv4 1 filter|INPUT|Policy|4 Dccp 192.0.2.2:41006 > 192.0.2.1:9995")]
    [InlineData("IPv4 1 filter|INPUT|Policy|4 Gre 192.0.2.2:0 > 192.0.2.1:0")]
    [InlineData("IPv4 1 filter|INPUT|Policy|4 99 192.0.2.2:0 > 192.0.2.1:0")]
    [InlineData("IPv4 1 filter|INPUT|Policy|4 Icmp 192.0.2.2 > 192.0.2.1 8.0 id 4242")]
    [InlineData("IPv4 3 filter|OUTPUT|Policy|1 Icmp 192.0.2.1 > 192.0.2.2 14.0 id 4243")]
    [InlineData("IPv6 0 raw|PREROUTING|Rule|1 Udp 2001:db8:1::2:41002 > 2001:db8:1::1:9999")]
    [InlineData("IPv6 0 raw|PREROUTING|Policy|2 Udp 2001:db8:1::2:41003 > 2001:db8:1::1:9998")]
    [InlineData("IPv6 0 raw|PREROUTING|Policy|2 none")]
    [InlineData("IPv6 1 filter|INPUT|Rule|3 Udp 2001:db8:1::2:41004 > 2001:db8:1::1:9997")]
    [InlineData("IPv6 3 raw|OUTPUT|Policy|1 error Udp 2001:db8:1::1:9997 > 2001:db8:1::2:41004")]
    [InlineData("IPv6 1 filter|INPUT|Policy|4 Sctp 2001:db8:1::2:41005 > 2001:db8:1::1:9996")]
    [InlineData("IPv6 3 filter|OUTPUT|Policy|1 error Sctp 2001:db8:1::1:9996 > 2001:db8:1::2:41005")]
    [InlineData("IPv6 3 filter|OUTPUT|Policy|1 IcmpV6 2001:db8:1::1 > 2001:db8:1::2 129.0 id 4242")]
    public void Every_kind_of_packet_is_told_from_the_others(string line) => Assert.Contains(line, All());

    [Fact]
    public void Nothing_that_the_kernel_sent_is_malformed()
    {
        int malformed = 0;
        int ignored = 0;
        int lines = s_datagrams.Sum(each => TraceFixture.Decode(each, ref malformed, ref ignored).Count);
        Assert.Equal((0, 0), (malformed, ignored));
        Assert.InRange(lines, 100, 1000);
    }

    [Fact]
    public void Many_lines_in_one_datagram_are_told_one_by_one()
    {
        // So the kernel sends them where a rule of the user's logs to the same group, with the end of a dump behind.
        int malformed = 0;
        int ignored = 0;
        byte[] end = [16, 0, 0, 0, NetlinkConstants.NLMSG_DONE, 0, NetlinkConstants.NLM_F_MULTI, .. new byte[9]];
        byte[] many = [.. s_datagrams.SelectMany(each => each.Concat(new byte[NetlinkAlignment.Align(each.Length) - each.Length])), .. end];
        Assert.Equal(All(), TraceFixture.Decode(many, ref malformed, ref ignored));
        Assert.Equal((0, 1), (malformed, ignored));
    }

    [Fact]
    public void A_datagram_cut_off_anywhere_loses_its_last_line_and_says_so()
    {
        foreach (byte[] datagram in s_datagrams)
        {
            for (int length = 1; length < datagram.Length; length++)
            {
                int malformed = 0;
                int ignored = 0;
                Assert.Empty(TraceFixture.Decode(datagram.AsSpan(0, length), ref malformed, ref ignored));
                Assert.Equal((1, 0), (malformed, ignored));
            }
        }
    }

    [Fact]
    public void A_message_whose_length_was_cut_too_never_throws_and_never_tells_another_step()
    {
        foreach (byte[] datagram in s_datagrams.Take(20))
        {
            int malformed = 0;
            int ignored = 0;
            string step = StepOf(TraceFixture.Decode(datagram, ref malformed, ref ignored).Single());
            for (int length = 16; length < datagram.Length; length++)
            {
                byte[] cut = datagram[..length];
                BinaryPrimitives.WriteInt32LittleEndian(cut, length);
                Assert.All(TraceFixture.Decode(cut, ref malformed, ref ignored), each => Assert.Equal(step, StepOf(each)));
            }
        }
    }

    [Fact]
    public void Bits_flipped_anywhere_never_throw()
    {
        Random random = new(20260103);
        int malformed = 0;
        int ignored = 0;
        for (int i = 0; i < 100_000; i++)
        {
            byte[] data = [.. s_datagrams[random.Next(s_datagrams.Count)]];
            for (int flips = random.Next(1, 5); flips > 0; flips--)
            {
                data[random.Next(data.Length)] ^= (byte)(1 << random.Next(8));
            }

            TraceFixture.Decode(data, ref malformed, ref ignored);
        }

        Assert.True(malformed > 1000 && ignored > 1000, $"{malformed} malformed, {ignored} ignored");
    }

    [Theory]
    [InlineData("TRACE: filter:INPUT:rule:1 ", "filter|INPUT|Rule|1")]
    [InlineData("TRACE: mangle:POSTROUTING:policy:12", "mangle|POSTROUTING|Policy|12")]
    [InlineData("TRACE: nat:a:b::c:return:3 ", "nat|a:b::c|Return|3")]
    [InlineData("TRACE: filter:rule:1:rule:2147483647 ", "filter|rule:1|Rule|2147483647")]
    public void A_chains_name_may_hold_what_separates_the_parts(string prefix, string step) =>
        Assert.Contains(step, Show(Line(prefix)), StringComparison.Ordinal);

    [Theory]
    [InlineData("")]
    [InlineData("nf_ct_proto_6: invalid packet ignored in state SYN_SENT ")]
    [InlineData("trace: filter:INPUT:rule:1 ")]
    [InlineData("TRACE: ")]
    [InlineData("TRACE: hello")]
    [InlineData("TRACE: filter:INPUT:rule: ")]
    [InlineData("TRACE: filter:INPUT:rule:x ")]
    [InlineData("TRACE: filter:INPUT:rule:-1 ")]
    [InlineData("TRACE: filter:INPUT:rule:99999999999 ")]
    [InlineData("TRACE: filter:INPUT:rules:1 ")]
    [InlineData("TRACE: filter::rule:1 ")]
    [InlineData("TRACE: :INPUT:rule:1 ")]
    [InlineData("TRACE: filter:rule:1 ")]
    public void What_others_log_to_the_same_place_is_passed_over(string prefix) => Assert.Equal("Ignored", Show(Line(prefix)));

    [Theory]
    [InlineData("another message", "Ignored")]
    [InlineData("a bridge's packet", "Ignored")]
    [InlineData("no header", "Malformed")]
    [InlineData("a hook of the wrong size", "Malformed")]
    [InlineData("a number of the wrong size", "Malformed")]
    public void What_is_no_line_is_told_from_what_is_a_broken_one(string name, string result)
    {
        byte[] line = name switch
        {
            "a hook of the wrong size" => Line(hook: [1]),
            "a number of the wrong size" => Line(sequence: [0, 0, 1]),
            _ => Line(),
        };
        switch (name)
        {
            case "another message":
                line[4] = NFULNL_MSG_CONFIG;
                break;
            case "a bridge's packet":
                line[16] = 7;
                break;
            case "no header":
                line = line[..18];
                line[0] = 18;
                break;
            default:
                break;
        }

        Assert.Equal(result, Show(line));
    }

    [Fact]
    public void A_line_keeps_its_number()
    {
        NetlinkMessageReader messages = new(Line(sequence: [0xff, 0xff, 0xff, 0xfe]));
        Assert.True(messages.TryRead(out NetlinkMessage message));
        Assert.Equal(DecodeResult.Decoded, NflogDecoder.Decode(in message, out IptablesTraceLine line));
        Assert.Equal(0xfffffffe, line.Sequence);
    }

    internal static byte[] Line(string prefix = "TRACE: filter:INPUT:rule:1 ", byte[]? hook = null, byte[]? sequence = null)
    {
        NetlinkWriter writer = new(new byte[1024]);
        writer.BeginMessage((NFNL_SUBSYS_ULOG << 8) | NFULNL_MSG_PACKET, 0, 0);
        writer.WriteStruct(new nfgenmsg { nfgen_family = NftablesConstants.NFPROTO_IPV4 });
        writer.WriteBytes(NFULA_PACKET_HDR, hook ?? [8, 0, NF_INET_LOCAL_IN, 0]);
        writer.WriteBytes(NFULA_PREFIX, [.. Encoding.ASCII.GetBytes(prefix), 0]);
        writer.WriteBytes(NFULA_SEQ, sequence ?? [0, 0, 0, 1]);
        writer.WriteBytes(NFULA_PAYLOAD, Packet.IPv4(FlowProtocol.Udp, Packet.Ports(1, 2)));
        writer.EndMessage();
        return writer.Written.ToArray();
    }

    private static string Show(byte[] message)
    {
        int malformed = 0;
        int ignored = 0;
        List<string> lines = TraceFixture.Decode(message, ref malformed, ref ignored);
        return malformed > 0 ? "Malformed" : ignored > 0 ? "Ignored" : lines.Single();
    }

    private static List<string> All()
    {
        int malformed = 0;
        int ignored = 0;
        return [.. s_datagrams.SelectMany(each => TraceFixture.Decode(each, ref malformed, ref ignored))];
    }

    private static string StepOf(string line) => line.Split(' ')[0] + line.Split(' ')[2];
}
