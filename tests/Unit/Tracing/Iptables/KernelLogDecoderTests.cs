using System.Text;
using Conntracker.Core.Netlink;
using Conntracker.Core.Tracing.Iptables;
using Xunit;

namespace Conntracker.Tests.Unit;

/// <summary>Where another program holds NFLOG, the kernel's log tells the same steps, as far as its words go.</summary>
public class KernelLogDecoderTests
{
    private const string Header = "4,357,13000397669,-;";
    private const string Packet4 = "IN=eth0 OUT= MAC=fa:2f SRC=192.0.2.2 DST=192.0.2.1 LEN=60 TOS=0x00 PREC=0x00 TTL=64 ID=59505 ";

    private static readonly List<byte[]> s_records = TraceFixture.Records();

    [Theory]
    [InlineData("IPv4 0 raw|PREROUTING|Policy|2 Tcp 192.0.2.2:42000 > 192.0.2.1:5000")]
    [InlineData("IPv4 255 filter|odd:name-:1|Return|2 Tcp 192.0.2.2:42000 > 192.0.2.1:5000")]
    [InlineData("IPv4 255 filter|odd:name-:1|Rule|1 Tcp 192.0.2.2:42001 > 192.0.2.1:5001")]
    [InlineData("IPv4 1 filter|INPUT|Rule|3 Udp 192.0.2.2:41004 > 192.0.2.1:9997")]
    [InlineData("IPv4 0 raw|PREROUTING|Policy|2 none")]
    [InlineData("IPv4 3 filter|OUTPUT|Policy|1 error Udp 192.0.2.1:9997 > 192.0.2.2:41004")]
    [InlineData("IPv4 1 filter|INPUT|Policy|4 UdpLite 192.0.2.2:41002 > 192.0.2.1:7000")]
    [InlineData("IPv4 1 filter|INPUT|Policy|4 Gre 192.0.2.2:0 > 192.0.2.1:0")]
    [InlineData("IPv4 1 filter|INPUT|Policy|4 Icmp 192.0.2.2 > 192.0.2.1 8.0 id 4242")]
    [InlineData("IPv4 3 filter|OUTPUT|Policy|1 Icmp 192.0.2.1 > 192.0.2.2 0.0 id 4242")]
    [InlineData("IPv4 3 filter|OUTPUT|Policy|1 error Icmp 192.0.2.1 > 192.0.2.2 3.2 id 0")]
    [InlineData("IPv6 1 filter|INPUT|Policy|4 Tcp 2001:db8:1::2:42000 > 2001:db8:1::1:5000")]
    [InlineData("IPv6 0 raw|PREROUTING|Policy|2 Udp 2001:db8:1::2:41003 > 2001:db8:1::1:9998")]
    [InlineData("IPv6 1 filter|INPUT|Rule|3 none")]
    [InlineData("IPv6 1 filter|INPUT|Rule|3 Udp 2001:db8:1::2:41004 > 2001:db8:1::1:9997")]
    [InlineData("IPv6 3 raw|OUTPUT|Policy|1 error Udp 2001:db8:1::1:9997 > 2001:db8:1::2:41004")]
    [InlineData("IPv6 3 filter|OUTPUT|Policy|1 IcmpV6 2001:db8:1::1 > 2001:db8:1::2 129.0 id 4242")]
    public void Every_kind_of_packet_is_told_from_the_others(string line) => Assert.Contains(line, All());

    [Fact]
    public void The_log_tells_the_same_steps_as_NFLOG()
    {
        // Of UDP only: there the packets of both recordings are the same, one by one.
        int malformed = 0;
        int ignored = 0;
        IEnumerable<string> nflog = TraceFixture.Datagrams().SelectMany(each => TraceFixture.Decode(each, ref malformed, ref ignored));
        IEnumerable<string> Udp(IEnumerable<string> lines) =>
            lines.Where(each => each.Contains(" Udp", StringComparison.Ordinal)).Order(StringComparer.Ordinal);
        Assert.Equal(Udp(nflog), Udp(All()));
        Assert.True(Udp(All()).Count() > 20);
    }

    [Fact]
    public void Only_what_others_log_is_passed_over_and_nothing_is_malformed()
    {
        List<string> told = [.. s_records.Select(Decode)];
        Assert.DoesNotContain("Malformed", told);
        Assert.Equal(
            s_records.Count(each => Encoding.UTF8.GetString(each).Contains(";not a trace:", StringComparison.Ordinal)),
            told.Count(each => each == "Ignored"));
    }

    [Theory]
    [InlineData("a program's own line", "12,357,13000397669,-;TRACE: filter:INPUT:rule:1 IN= OUT= SRC=192.0.2.2 DST=192.0.2.1 PROTO=99 \n", "Ignored")]
    [InlineData("another line", Header + "usb 1-1: new device\n", "Ignored")]
    [InlineData("a LOG rule", Header + "dropped: " + Packet4 + "PROTO=99 \n", "Ignored")]
    [InlineData("no header", "TRACE: filter:INPUT:rule:1 " + Packet4 + "PROTO=99 \n", "Malformed")]
    [InlineData("no addresses", Header + "TRACE: filter:INPUT:rule:1 IN=lo OUT= PROTO=99 \n", "Malformed")]
    [InlineData("a broken address", Header + "TRACE: filter:INPUT:rule:1 IN=lo OUT= SRC=192.0.2 DST=192.0.2.1 PROTO=99 \n", "Malformed")]
    [InlineData("addresses of two families",
        Header + "TRACE: filter:INPUT:rule:1 IN=lo OUT= SRC=192.0.2.1 DST=2001:0db8:0001:0000:0000:0000:0000:0001 PROTO=99 \n", "Malformed")]
    [InlineData("a caller in the header", "4,357,13000397669,-,caller=T123;TRACE: filter:INPUT:rule:1 " + Packet4 + "PROTO=99 \n",
        "IPv4 1 filter|INPUT|Rule|1 99 192.0.2.2:0 > 192.0.2.1:0")]
    [InlineData("more lines", Header + "TRACE: filter:INPUT:rule:1 " + Packet4 + "PROTO=99 \n SUBSYSTEM=net\n",
        "IPv4 1 filter|INPUT|Rule|1 99 192.0.2.2:0 > 192.0.2.1:0")]
    [InlineData("ports cut off", Header + "TRACE: filter:INPUT:rule:1 " + Packet4 + "PROTO=TCP INCOMPLETE [4 bytes] \n", "IPv4 1 filter|INPUT|Rule|1 none")]
    [InlineData("a number for a protocol with ports", Header + "TRACE: filter:INPUT:rule:1 " + Packet4 + "PROTO=132 \n", "IPv4 1 filter|INPUT|Rule|1 none")]
    [InlineData("a query without its id", Header + "TRACE: filter:INPUT:rule:1 " + Packet4 + "PROTO=ICMP TYPE=13 CODE=0 \n", "IPv4 1 filter|INPUT|Rule|1 none")]
    [InlineData("no query", Header + "TRACE: filter:INPUT:rule:1 " + Packet4 + "PROTO=ICMP TYPE=9 CODE=0 \n",
        "IPv4 1 filter|INPUT|Rule|1 Icmp 192.0.2.2 > 192.0.2.1 9.0 id 0")]
    [InlineData("an error about an error", Header + "TRACE: filter:INPUT:rule:1 " + Packet4 + "PROTO=ICMP TYPE=3 CODE=1 [SRC=192.0.2.9 DST=192.0.2.8 " +
        "PROTO=ICMP TYPE=3 CODE=1 [SRC=192.0.2.7 DST=192.0.2.6 PROTO=99 ] ] \n", "IPv4 1 filter|INPUT|Rule|1 error Icmp 192.0.2.2 > 192.0.2.1 3.1 id 0")]
    [InlineData("an error about a query", Header + "TRACE: filter:INPUT:rule:1 " + Packet4 + "PROTO=ICMP TYPE=3 CODE=1 [SRC=192.0.2.9 DST=192.0.2.8 " +
        "PROTO=ICMP TYPE=8 CODE=0 ID=77 SEQ=1 ] \n", "IPv4 1 filter|INPUT|Rule|1 error Icmp 192.0.2.8 > 192.0.2.9 0.0 id 77")]
    [InlineData("AH", Header + "TRACE: filter:INPUT:rule:1 " + Packet4 + "PROTO=AH SPI=0x1 \n", "IPv4 1 filter|INPUT|Rule|1 Ah 192.0.2.2:0 > 192.0.2.1:0")]
    public void A_line_is_read_for_what_it_is(string name, string record, string told) =>
        Assert.True(Decode(Encoding.UTF8.GetBytes(record)) == told, $"{name}: {Decode(Encoding.UTF8.GetBytes(record))}");

    [Fact]
    public void A_record_cut_off_anywhere_never_throws_and_never_tells_another_flow()
    {
        foreach (byte[] record in s_records)
        {
            string whole = Decode(record);
            string flow = whole[(whole.IndexOf('|', StringComparison.Ordinal) + 1)..];
            for (int length = 0; length < record.Length; length++)
            {
                string cut = Decode(record[..length]);
                if (cut is not ("Ignored" or "Malformed"))
                {
                    // A number may be cut in the middle; what stands before it may not change.
                    string step = cut.Split(' ')[2];
                    Assert.Equal(whole.Split(' ')[2], step);
                }
            }

            Assert.NotEmpty(flow);
        }
    }

    [Fact]
    public void Bits_flipped_anywhere_never_throw()
    {
        Random random = new(20260104);
        int decoded = 0;
        for (int i = 0; i < 50_000; i++)
        {
            byte[] data = [.. s_records[random.Next(s_records.Count)]];
            for (int flips = random.Next(1, 5); flips > 0; flips--)
            {
                data[random.Next(data.Length)] ^= (byte)(1 << random.Next(8));
            }

            decoded += Decode(data) is "Ignored" or "Malformed" ? 0 : 1;
        }

        Assert.InRange(decoded, 1000, 49_000);
    }

    private static IEnumerable<string> All() => s_records.Select(Decode);

    private static string Decode(byte[] record)
    {
        DecodeResult result = KernelLogDecoder.Decode(record, out IptablesTraceLine line);
        return result == DecodeResult.Decoded ? TraceFixture.Show(in line) : result.ToString();
    }
}
