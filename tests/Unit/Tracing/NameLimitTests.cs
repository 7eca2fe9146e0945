using System.Text;
using Conntracker.Core.Native;
using Conntracker.Core.Tracing;
using Xunit;

namespace Conntracker.Tests.Unit;

/// <summary>Programs that make rules give chains ever new names: they do not take memory without end, and what finds no room is counted.</summary>
public sealed class NameLimitTests : IDisposable
{
    private readonly TraceProbe _probe = new();

    public void Dispose() => _probe.Dispose();

    [Fact]
    public void Names_are_kept_up_to_a_limit_and_known_ones_are_found_beyond_it()
    {
        StringPool names = new();
        for (int i = 1; i < StringPool.MaximumNames; i++)
        {
            Assert.Equal(i, names.Of(Name(i)));
        }

        Assert.Equal(StringPool.NoName, names.Of("one more"u8));
        Assert.Equal(StringPool.NoName, names.Of("another"u8));
        Assert.Equal(7, names.Of(Name(7)));
        Assert.Equal("KUBE-SVC-7", names[7]);
    }

    [Fact]
    public void Base_chains_are_kept_up_to_a_limit()
    {
        StepTable steps = new(new StringPool(), new RuleBook());
        for (int i = 1; i <= BaseChainIds.Maximum; i++)
        {
            Assert.Equal(i, steps.BaseOf(new BaseKey(TraceEngine.Nftables, NftablesConstants.NFPROTO_INET, 0, i)));
        }

        Assert.Equal(BaseChainIds.NoId, steps.BaseOf(new BaseKey(TraceEngine.Nftables, NftablesConstants.NFPROTO_INET, 0, BaseChainIds.Maximum + 1)));
        Assert.Equal(1, steps.BaseOf(new BaseKey(TraceEngine.Nftables, NftablesConstants.NFPROTO_INET, 0, 1)));
    }

    [Fact]
    public void A_packet_whose_chain_finds_no_room_is_counted_and_its_flow_shows_that_steps_are_missing()
    {
        const int Chains = 64;
        for (int i = 0; i < StringPool.MaximumNames; i += Chains)
        {
            TracedPacket packet = _probe.Packet(ct: 7).First().Tracked();
            for (int chain = i; chain < i + Chains; chain++)
            {
                packet.Rule($"ip nat KUBE-SVC-{chain}", 5, NftablesConstants.NFT_CONTINUE);
            }

            packet.Last();
        }

        // The names of the table and of our own chains have taken room as well.
        Assert.Equal(1, _probe.Tracing.Counters.Incomplete);
        _probe.Packet(new PacketHeader { SrcPort = 40001 }, ct: 8).First().Tracked().Rule("ip nat KUBE-SEP-1", 5, NftablesConstants.NFT_CONTINUE).Last();
        Assert.Equal(2, _probe.Tracing.Counters.Incomplete);
        Assert.True(_probe.Flows().Single(flow => flow.SrcPort == 40001).TraceIncomplete);
    }

    private static byte[] Name(int number) => Encoding.UTF8.GetBytes($"KUBE-SVC-{number}");
}
