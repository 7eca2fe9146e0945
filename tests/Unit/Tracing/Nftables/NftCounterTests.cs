using Conntracker.Core.Native;
using Conntracker.Core.Netlink;
using Conntracker.Core.Tracing.Nftables;
using Xunit;

namespace Conntracker.Tests.Unit.Decoding;

/// <summary>A counter is read as the kernel writes it, and whatever else comes is no counter.</summary>
public sealed class NftCounterTests
{
    private const int Type = (NftablesConstants.NFNL_SUBSYS_NFTABLES << 8) | NftablesConstants.NFT_MSG_NEWOBJ;

    // What Linux 6.18 answered for a counter "untraced" of 7 packets and 420 bytes in the table inet conntracker.
    private static readonly byte[] s_answer = Convert.FromHexString(
        "01000003" + "10000100" + Name("conntracker") + "0D000200" + Name("untraced") + "000000" + "08000300" + "00000001"
        + "0C000600" + "0000000000000001" + "08000500" + "00000000" + "1C000400" + "0C000100" + "00000000000001A4" + "0C000200" + "0000000000000007");

    [Fact]
    public void A_counter_is_read()
    {
        Assert.True(NftCounterDecoder.TryDecode(new NetlinkMessage(Type, 0, 0, s_answer), out long packets));
        Assert.Equal(7, packets);
    }

    [Fact]
    public void Truncated_answers_and_other_messages_are_no_counters()
    {
        for (int length = 0; length < s_answer.Length; length++)
        {
            Assert.False(NftCounterDecoder.TryDecode(new NetlinkMessage(Type, 0, 0, s_answer.AsSpan(0, length)), out _), $"{length}");
        }

        Assert.False(NftCounterDecoder.TryDecode(new NetlinkMessage(NetlinkConstants.NLMSG_ERROR, 0, 0, s_answer), out _));
    }

    [Fact]
    public void Mutated_answers_never_throw()
    {
        Random random = new(1);
        for (int i = 0; i < 100_000; i++)
        {
            byte[] mutated = [.. s_answer];
            for (int change = random.Next(1, 4); change > 0; change--)
            {
                mutated[random.Next(mutated.Length)] = (byte)random.Next(256);
            }

            NftCounterDecoder.TryDecode(new NetlinkMessage(Type, 0, 0, mutated), out long packets);
            Assert.InRange(packets, 0, long.MaxValue);
        }
    }

    private static string Name(string name) => Convert.ToHexString(System.Text.Encoding.UTF8.GetBytes($"{name}\0"));
}
