using Xunit;

namespace Conntracker.Tests.Unit.Export;

/// <summary>Whoever sends packets that nobody answers cannot use the whole limit of a tree.</summary>
public sealed class TreeShareTests : IDisposable
{
    private const int Limit = 1600;
    private const int Share = Limit / 16;

    private static readonly DateTimeOffset s_noon = new(2026, 3, 4, 12, 0, 0, TimeSpan.Zero);

    private readonly TempDirectory _folder = new();

    private string Root => _folder.File("tree");

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(FlowDirection.Forward)]
    [InlineData(FlowDirection.In)]
    [InlineData(FlowDirection.Out)]
    public void Unanswered_flows_get_a_sixteenth_and_go_to_subnets_and_answered_ones_keep_their_own_entries(FlowDirection direction)
    {
        using FlowTree tree = Open();
        for (int i = 0; i < 10_000; i++)
        {
            tree.Write(Flow(direction, i, isAnswered: false));
        }

        Assert.InRange(tree.Count, Share / 2, Share);
        Assert.Equal(tree.Count, TreeFlows.Files(Root).Length);
        Assert.Contains(TreeFlows.Files(Root), each => each.Contains("_24-", StringComparison.Ordinal));
        Assert.Equal((false, true), (tree.IsLimited, tree.IsShareLimited));
        Assert.Matches($"the limit is {Limit} \\(--max-flows\\): [0-9]+ entries of unanswered flows were folded into subnets, because their limit is " +
            $"{Share}\\.",
            tree.DescribeLimit("--max-flows"));

        int before = tree.Count;
        for (int i = 0; i < 1000; i++)
        {
            tree.Write(Flow(direction, 100_000 + i, isAnswered: true));
        }

        Assert.Equal(before + 1000, tree.Count);
        Assert.False(tree.IsLimited);
    }

    [Fact]
    public void An_entry_whose_flow_is_answered_after_all_gives_its_place_back()
    {
        using FlowTree tree = Open();
        for (int i = 0; i < 1000; i++)
        {
            // Every flow begins without an answer.
            tree.Write(Flow(FlowDirection.Forward, i, isAnswered: false));
            tree.Write(Flow(FlowDirection.Forward, i, isAnswered: true));
        }

        Assert.Equal(1000, tree.Count);
        Assert.Null(tree.DescribeLimit("--max-flows"));
    }

    [Fact]
    public void A_flow_that_was_folded_gets_its_entry_once_it_is_answered()
    {
        using FlowTree tree = Open();
        for (int i = 0; i < 1000; i++)
        {
            tree.Write(Flow(FlowDirection.Forward, i, isAnswered: false));
        }

        string file = Path.Combine(Root, "else/udp/10.0.3.231-1999-192.0.2.1-53");
        Assert.False(File.Exists(file));
        tree.Write(Flow(FlowDirection.Forward, 999, isAnswered: true));
        Assert.True(File.Exists(file));
    }

    [Fact]
    public void A_tree_that_is_opened_again_and_again_does_not_fill_up_with_unanswered_flows()
    {
        for (int run = 0; run < 16; run++)
        {
            using FlowTree tree = Open();
            for (int i = 0; i < 500; i++)
            {
                tree.Write(Flow(FlowDirection.Forward, (run * 1000) + i, isAnswered: false));
            }
        }

        Assert.InRange(TreeFlows.Files(Root).Length, Share, Limit * 3 / 4);
    }

    [Fact]
    public void What_was_read_from_a_tree_does_not_say_whether_it_was_answered_and_is_copied_whole()
    {
        using FlowTree tree = Open();
        for (int i = 0; i < 1000; i++)
        {
            tree.Write(TreeFlows.Of(FlowDirection.Forward, FlowProtocol.Udp, $"10.0.{i / 256}.{i % 256}", 5, "192.0.2.1", 53));
        }

        Assert.Equal(1000, tree.Count);
        Assert.Null(tree.DescribeLimit("--max-flows"));
    }

    [Theory]
    [InlineData(Conn.Replied, 200)]
    [InlineData(Conntracker.Core.Native.ConntrackConstants.IPS_CONFIRMED, Share)]
    public void Of_a_captures_table_the_status_of_connection_tracking_decides(uint status, int most)
    {
        using CollectorProbe probe = new();
        for (int i = 0; i < 200; i++)
        {
            probe.Event(new Conn { Status = status, SrcPort = (ushort)(1024 + i), Id = (uint)i }.New());
        }

        using FlowTree tree = Open();
        using FlowSnapshot snapshot = probe.Collector.Snapshot();
        for (int slot = 0; slot < snapshot.SlotCount; slot++)
        {
            tree.Write(snapshot, slot);
        }

        Assert.InRange(tree.Count, most / 2, most);
        Assert.Equal(most == Share, tree.IsShareLimited);
    }

    private FlowTree Open() => FlowTree.Open(Root, new FlowTreeOptions { MaximumEntries = Limit, FoldInternet = InternetFolding.None });

    private static Flow Flow(FlowDirection direction, int number, bool isAnswered)
    {
        string far = $"10.{number / 65536}.{number / 256 % 256}.{number % 256}";
        Flow flow = direction == FlowDirection.Out
            ? TreeFlows.Of(direction, FlowProtocol.Udp, "192.0.2.1", 53, far, 53)
            : TreeFlows.Of(direction, FlowProtocol.Udp, far, 1000 + (number % 60_000), "192.0.2.1", 53);
        flow.Confirmed = isAnswered;
        flow.LastSeen = s_noon;
        return flow;
    }
}
