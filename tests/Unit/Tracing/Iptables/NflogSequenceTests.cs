using Conntracker.Core.Native;
using Conntracker.Core.Netlink;
using Conntracker.Core.Tracing.Iptables;
using Xunit;
using static Conntracker.Core.Native.NflogConstants;

namespace Conntracker.Tests.Unit;

/// <summary>Lines that NFLOG could not deliver are counted, each once.</summary>
public class NflogSequenceTests
{
    [Theory]
    [InlineData("from the first", 0u, 1u, 2u, 0)]
    [InlineData("from anywhere", 4711u, 4712u, 4713u, 0)]
    [InlineData("across the wrap", uint.MaxValue - 1, uint.MaxValue, 0u, 0)]
    [InlineData("a gap", 5u, 6u, 10u, 3)]
    [InlineData("two gaps", 5u, 7u, 9u, 2)]
    [InlineData("a gap across the wrap", uint.MaxValue - 1, 1u, 2u, 2)]
    [InlineData("a line come twice", 5u, 5u, 6u, 0)]
    public void Gaps_in_the_numbers_are_lost_lines(string name, uint first, uint second, uint third, long lost)
    {
        NflogSequence apart = new();
        Assert.True(apart.Take(Datagram(first), out _) + apart.Take(Datagram(second), out _) + apart.Take(Datagram(third), out _) == lost, name);
        NflogSequence together = new();
        Assert.True(together.Take(Datagram(first, second, third), out int lines) == lost, name);
        Assert.Equal(3, lines);
    }

    [Fact]
    public void The_lines_of_an_overrun_are_counted_once()
    {
        NflogSequence sequence = new();
        Assert.Equal(0, sequence.Take(Datagram(1), out _));
        Assert.Equal(3, sequence.Overrun(3));

        // What was queued before the overrun has no gap yet.
        Assert.Equal(0, sequence.Take(Datagram(2, 3), out _));
        Assert.Equal(7, sequence.Take(Datagram(14), out _));
        Assert.Equal(5, sequence.Take(Datagram(20), out _));
    }

    [Fact]
    public void An_overrun_of_unknown_size_is_one_line_until_the_next_one_tells()
    {
        NflogSequence sequence = new();
        Assert.Equal(0, sequence.Take(Datagram(1), out _));
        Assert.Equal((1, 1), (sequence.Overrun(null), sequence.Overrun(0)));
        Assert.Equal(8, sequence.Take(Datagram(12), out _));
    }

    [Fact]
    public void What_has_no_number_is_a_line_and_tells_of_no_loss()
    {
        NflogSequence sequence = new();
        Assert.Equal(0, sequence.Take(Datagram(1), out _));
        Assert.Equal(0, sequence.Take(Datagram([null]), out int lines));
        Assert.Equal(1, lines);
        Assert.Equal(0, sequence.Take(Datagram(2), out _));
        Assert.Equal(0, sequence.Take([1, 2, 3], out lines));
        Assert.Equal(0, lines);
    }

    [Fact]
    public void The_recorded_lines_have_no_gap()
    {
        NflogSequence sequence = new();
        int all = 0;
        long lost = 0;
        foreach (byte[] datagram in TraceFixture.Datagrams())
        {
            lost += sequence.Take(datagram, out int lines);
            all += lines;
        }

        Assert.Equal(0, lost);
        Assert.True(all > 100);
    }

    private static byte[] Datagram(params uint?[] numbers)
    {
        NetlinkWriter writer = new(new byte[1024]);
        foreach (uint? number in numbers)
        {
            writer.BeginMessage((NFNL_SUBSYS_ULOG << 8) | NFULNL_MSG_PACKET, 0, 0);
            writer.WriteStruct(new nfgenmsg { nfgen_family = NftablesConstants.NFPROTO_IPV4 });
            writer.WriteBytes(NFULA_PREFIX, "x\0"u8);
            if (number is uint value)
            {
                writer.WriteUInt32BigEndian(NFULA_SEQ, value);
            }

            writer.EndMessage();
        }

        writer.BeginMessage(NetlinkConstants.NLMSG_DONE, NetlinkConstants.NLM_F_MULTI, 0);
        writer.EndMessage();
        return writer.Written.ToArray();
    }
}
