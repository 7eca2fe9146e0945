using Xunit;

namespace Conntracker.Tests.Unit.Export;

/// <summary>A file's time in a tree is when its flows were last seen, so that "find -mtime +30" finds the rules that nobody needs any more.</summary>
public sealed class TreeTimeTests : IDisposable
{
    private static readonly DateTimeOffset s_noon = new(2026, 3, 4, 12, 0, 0, TimeSpan.Zero);

    private readonly TempDirectory _folder = new();
    private readonly SettableTime _time = new();

    private string Root => _folder.File("tree");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_new_file_bears_the_time_at_which_its_flow_was_last_seen_to_the_tick()
    {
        using FlowTree tree = Open();
        tree.Write(Flow(1, s_noon.AddTicks(1234567)));
        Assert.Equal(s_noon.AddTicks(1234567), TimeOf(1));
    }

    [Fact]
    public void A_file_is_touched_at_most_once_a_minute_and_what_is_left_when_the_tree_is_complete()
    {
        using FlowTree tree = Open();
        tree.Write(Flow(1, s_noon));
        _time.Wait(TimeSpan.FromSeconds(59));
        tree.Write(Flow(1, s_noon.AddSeconds(59)));
        Assert.Equal(s_noon, TimeOf(1));
        _time.Wait(TimeSpan.FromSeconds(1));
        tree.Write(Flow(1, s_noon.AddSeconds(60)));
        Assert.Equal(s_noon.AddSeconds(60), TimeOf(1));
        tree.Write(Flow(1, s_noon.AddSeconds(90)));
        Assert.Equal(s_noon.AddSeconds(60), TimeOf(1));
        tree.Complete();
        Assert.Equal(s_noon.AddSeconds(90), TimeOf(1));
        Assert.Equal((1, 1), (tree.Created, tree.Count));
    }

    [Fact]
    public void A_file_of_an_earlier_run_is_touched_when_it_is_seen_again_and_keeps_its_time_when_it_is_not()
    {
        using (FlowTree before = Open())
        {
            before.Write(Flow(1, s_noon));
            before.Write(Flow(2, s_noon));
        }

        using FlowTree tree = Open();
        tree.Write(Flow(1, s_noon.AddDays(40)));
        tree.Complete();
        Assert.Equal((s_noon.AddDays(40), s_noon), (TimeOf(1), TimeOf(2)));
        Assert.Equal((0, 2), (tree.Created, tree.Count));
    }

    [Fact]
    public void A_time_never_goes_back()
    {
        using (FlowTree before = Open())
        {
            before.Write(Flow(1, s_noon));
        }

        using FlowTree tree = Open();
        foreach (DateTimeOffset? time in new DateTimeOffset?[] { s_noon.AddDays(-1), null, s_noon.AddTicks(-1) })
        {
            _time.Wait(TimeSpan.FromHours(1));
            tree.Write(Flow(1, time));
        }

        tree.Complete();
        Assert.Equal(s_noon, TimeOf(1));
    }

    [Fact]
    public void A_file_whose_flow_has_no_time_bears_the_time_at_which_it_was_made()
    {
        DateTimeOffset before = DateTimeOffset.UtcNow.AddSeconds(-1);
        using FlowTree tree = Open();
        tree.Write(Flow(1, null));
        DateTimeOffset made = TimeOf(1);
        Assert.InRange(made, before, DateTimeOffset.UtcNow.AddSeconds(1));
        _time.Wait(TimeSpan.FromHours(1));
        tree.Write(Flow(1, s_noon.AddYears(-3)));
        tree.Complete();
        Assert.Equal(made, TimeOf(1));
    }

    [Fact]
    public void An_entry_that_somebody_has_removed_is_made_again_when_it_is_seen_again()
    {
        using FlowTree tree = Open();
        tree.Write(Flow(1, s_noon));
        File.Delete(PathOf(1));
        _time.Wait(TimeSpan.FromMinutes(2));
        tree.Write(Flow(1, s_noon));
        Assert.False(File.Exists(PathOf(1)));
        tree.Write(Flow(1, s_noon.AddMinutes(2)));
        Assert.Equal(s_noon.AddMinutes(2), TimeOf(1));
        Assert.Equal(1, tree.Count);
    }

    [Fact]
    public void The_target_of_a_link_in_an_entrys_place_keeps_its_time()
    {
        string victim = _folder.File("victim");
        File.WriteAllText(victim, "");
        File.SetLastWriteTimeUtc(victim, s_noon.UtcDateTime);
        Directory.CreateDirectory(Path.Combine(Root, "out/tcp"));
        File.CreateSymbolicLink(PathOf(1), victim);
        using FlowTree tree = Open();
        tree.Write(Flow(1, DateTimeOffset.UtcNow.AddDays(1)));
        Assert.Equal(s_noon.UtcDateTime, File.GetLastWriteTimeUtc(victim));
    }

    [Fact]
    public void A_subnet_bears_the_latest_time_of_what_was_folded_into_it()
    {
        using FlowTree tree = FlowTree.Open(Root, new FlowTreeOptions { MaximumEntries = 2 }, _time);
        tree.Write(Flow(1, s_noon));
        tree.Write(Flow(2, s_noon.AddMinutes(5)));
        _time.Wait(TimeSpan.FromHours(1));
        tree.Write(Flow(3, s_noon.AddHours(1)));
        Assert.Equal(s_noon.AddHours(1).UtcDateTime, File.GetLastWriteTimeUtc(Path.Combine(Root, "out/tcp/0.0.0.0_0-PORT-0.0.0.0_0-PORT")));
        Assert.Equal(s_noon, TimeOf(1));
    }

    [Fact]
    public void Files_beyond_the_limit_of_the_listing_are_touched_too()
    {
        using (FlowTree before = Open())
        {
            for (int port = 1; port <= 20; port++)
            {
                before.Write(Flow(port, s_noon));
            }
        }

        using FlowTree tree = FlowTree.Open(Root, new FlowTreeOptions { MaximumEntries = 10 }, _time);
        for (int port = 1; port <= 20; port++)
        {
            tree.Write(Flow(port, s_noon.AddMinutes(1)));
        }

        Assert.All(Enumerable.Range(1, 20), port => Assert.Equal(s_noon.AddMinutes(1), TimeOf(port)));
    }

    [Fact]
    public void A_connection_that_stays_open_is_in_use_also_when_the_kernel_says_nothing_of_it()
    {
        using CollectorProbe probe = new();
        probe.Event(new Conn().New());
        DateTimeOffset seen = probe.Now;
        using FlowTree tree = Open();
        WriteAll(tree, probe, seen.AddHours(23));
        Assert.Equal(seen, OnlyTime());
        _time.Wait(TimeSpan.FromDays(2));
        WriteAll(tree, probe, seen.AddDays(2));
        Assert.Equal(seen.AddDays(2), OnlyTime());

        // Of a recording nobody knows what came later.
        _time.Wait(TimeSpan.FromDays(2));
        WriteAll(tree, probe, now: null);
        Assert.Equal(seen.AddDays(2), OnlyTime());
    }

    private static void WriteAll(FlowTree tree, CollectorProbe probe, DateTimeOffset? now)
    {
        using FlowSnapshot snapshot = probe.Collector.Snapshot();
        for (int slot = 0; slot < snapshot.SlotCount; slot++)
        {
            tree.Write(snapshot, slot, now);
        }
    }

    private FlowTree Open() => FlowTree.Open(Root, new FlowTreeOptions(), _time);

    private string PathOf(int port) => Path.Combine(Root, $"out/tcp/10.0.0.1-PORT-INTERNET-{port}");

    private DateTimeOffset TimeOf(int port) => new(File.GetLastWriteTimeUtc(PathOf(port)), TimeSpan.Zero);

    private DateTimeOffset OnlyTime() => new(File.GetLastWriteTimeUtc(Path.Combine(Root, Assert.Single(TreeFlows.Files(Root)))), TimeSpan.Zero);

    private static Flow Flow(int port, DateTimeOffset? lastSeen)
    {
        Flow flow = TreeFlows.Of(FlowDirection.Out, FlowProtocol.Tcp, "10.0.0.1", 50000, "8.8.8.8", port);
        flow.LastSeen = lastSeen;
        flow.Confirmed = true;
        return flow;
    }
}
