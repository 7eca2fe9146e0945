using System.Diagnostics;
using Conntracker.Core.Export.Tree;
using Xunit;

namespace Conntracker.Tests.Unit.Export;

/// <summary>The entries of a tree, their number at its limit, and reading it back.</summary>
public sealed class FlowTreeTests : FlowTreeTest
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private string? _inMemory;

    /// <inheritdoc/>
    protected override string Root => _inMemory is null ? base.Root : Path.Combine(_inMemory, "tree");

    [Fact]
    public void Entries_are_empty_files_that_only_their_owner_can_read_in_folders_that_only_he_can_enter()
    {
        using FlowTree tree = Write(Flow(1), Flow(1), Flow(2));
        Assert.Equal(["out/tcp/10.0.0.1-PORT-INTERNET-1", "out/tcp/10.0.0.1-PORT-INTERNET-2"], TreeFlows.Files(Root));
        Assert.Equal((2, 2), (tree.Created, tree.Count));
        Assert.False(tree.IsLimited);
        FileInfo file = new(Path.Combine(Root, "out/tcp/10.0.0.1-PORT-INTERNET-1"));
        Assert.Equal((0, OwnerOnly), (file.Length, file.UnixFileMode));
        Assert.Equal(OwnerOnly | UnixFileMode.UserExecute, file.Directory!.UnixFileMode);
        Assert.Equal(OwnerOnly | UnixFileMode.UserExecute, new DirectoryInfo(Root).UnixFileMode);
    }

    [Fact]
    public void What_an_earlier_run_made_stays_with_its_content_and_its_time_when_nothing_says_that_it_was_seen()
    {
        Write(Flow(1)).Dispose();
        string path = Path.Combine(Root, "out/tcp/10.0.0.1-PORT-INTERNET-1");
        DateTime then = new(2020, 1, 1, 0, 0, 0, DateTimeKind.Utc);
        File.WriteAllText(path, "a note");
        File.SetLastWriteTimeUtc(path, then);
        using FlowTree tree = Write(Flow(1), Flow(2));
        Assert.Equal((1, 2), (tree.Created, tree.Count));
        Assert.Equal(("a note", then), (File.ReadAllText(path), File.GetLastWriteTimeUtc(path)));
    }

    [Fact]
    public void Multicast_of_another_host_comes_in_and_what_only_passes_is_in_else()
    {
        using CollectorProbe probe = new(AddressRange.Parse("192.168.200.230"));
        probe.Event(new Conn { Protocol = FlowProtocol.Udp, Src = "192.168.200.214", SrcPort = 5353, Dst = "224.0.0.251", DstPort = 5353 }.New());
        probe.Event(new Conn { Src = "192.168.200.7", SrcPort = 51514, Dst = "192.168.201.4", DstPort = 22 }.New());
        using FlowTree tree = FlowTree.Open(Root, new FlowTreeOptions());
        using FlowSnapshot snapshot = probe.Collector.Snapshot();
        for (int slot = 0; slot < snapshot.SlotCount; slot++)
        {
            tree.Write(snapshot, slot);
        }

        Assert.Equal(["else/tcp/192.168.200.7-51514-192.168.201.4-22", "in/udp/192.168.200.214-PORT-224.0.0.251-5353"], TreeFlows.Files(Root));
    }

    [Fact]
    public void Else_can_be_left_out()
    {
        Flow[] flows = [Flow(1), TreeFlows.Of(FlowDirection.Forward, FlowProtocol.Tcp, "10.0.0.1", 5, "10.0.0.2", 6)];
        Write(new FlowTreeOptions { SkipElse = true }, flows).Dispose();
        Assert.Equal(["out/tcp/10.0.0.1-PORT-INTERNET-1"], TreeFlows.Files(Root));
        Assert.False(Directory.Exists(Path.Combine(Root, "else")));
        using FlowTree whole = FlowTree.Open(Root, new FlowTreeOptions());
        Assert.Equal(["else", "else/tcp", "else/udp", "in", "in/tcp", "in/udp", "out", "out/tcp", "out/udp"], Folders());
    }

    [Fact]
    public void A_tree_of_100000_flows_takes_seconds_and_writing_it_again_makes_nothing()
    {
        // What a disk takes to make a file is its own business.
        _inMemory = Directory.Exists("/dev/shm") ? Directory.CreateDirectory($"/dev/shm/conntracker-unit-{Guid.NewGuid()}").FullName : null;
        Flow[] flows = [.. Enumerable.Range(0, 100_000).Select(each =>
            TreeFlows.Of(FlowDirection.Forward, FlowProtocol.Tcp, $"10.0.{each / 256 % 256}.{each % 256}", 1024 + (each / 65536), "192.0.2.1", 443))];
        Stopwatch watch = Stopwatch.StartNew();
        using (FlowTree tree = Write(flows))
        {
            Assert.Equal(100_000, tree.Created);
        }

        Assert.True(watch.Elapsed < TimeSpan.FromSeconds(20), $"It took {watch.Elapsed}.");
        TestContext.Current.TestOutputHelper?.WriteLine($"100,000 entries: {watch.Elapsed}");
        Assert.Equal(100_000, Directory.EnumerateFiles(Path.Combine(Root, "else/tcp")).Count());
        watch.Restart();
        using FlowTree again = Write(flows);
        Assert.Equal((0, 100_000), (again.Created, again.Count));
        TestContext.Current.TestOutputHelper?.WriteLine($"again: {watch.Elapsed}");
        List<Flow> read = [.. FlowReader.ReadTree(Root, error => Assert.Fail(error.Message))];
        Assert.Equal(100_000, read.Count);
    }

    [Fact]
    public void At_the_limit_entries_are_folded_into_subnets_and_then_wider_ones_and_the_number_of_files_is_kept()
    {
        // 1,024 entries: 928 as they are, 16 more of /24, 16 of /16, 64 of everything.
        Flow[] flows = [.. Enumerable.Range(0, 5000).Select(each =>
            TreeFlows.Of(FlowDirection.Forward, FlowProtocol.Tcp, $"10.{each % 50}.{each / 256}.{each % 256}", 1024, "192.0.2.1", 443))];
        using FlowTree tree = Write(new FlowTreeOptions { MaximumEntries = 1024 }, flows);
        string[] files = TreeFlows.Files(Root);
        Assert.Equal(files.Length, tree.Count);
        Assert.InRange(files.Length, 929, 1024);
        Assert.Equal(928, files.Count(each => !each.Contains('_', StringComparison.Ordinal)));
        Assert.Equal(16, files.Count(each => each.Contains("_24-PORT", StringComparison.Ordinal)));
        Assert.Equal(16, files.Count(each => each.Contains("_16-PORT", StringComparison.Ordinal)));
        Assert.Contains("else/tcp/0.0.0.0_0-PORT-0.0.0.0_0-PORT", files);
        Assert.True(tree.IsLimited);
        Assert.Contains("4072 were folded into subnets.", tree.DescribeLimit("-MaximumFlows"), StringComparison.Ordinal);

        // The same flows once more: nothing new, and nothing counted twice.
        foreach (Flow flow in flows)
        {
            tree.Write(flow);
        }

        Assert.Equal(files, TreeFlows.Files(Root));
        Assert.Contains("4072 were folded into subnets.", tree.DescribeLimit("-MaximumFlows"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(2, 2)]
    [InlineData(10, 8)]
    [InlineData(100, 76)]
    public void A_small_limit_is_kept_too_and_what_finds_no_room_is_counted(int limit, int expected)
    {
        Flow[] flows = [.. Enumerable.Range(1, 500).Select(Flow)];
        using FlowTree tree = Write(new FlowTreeOptions { MaximumEntries = limit }, flows);
        int files = TreeFlows.Files(Root).Length;
        Assert.True(files <= limit && files == tree.Count);
        Assert.Equal(limit == 1, tree.DescribeLimit("--max-flows")!.Contains("not written", StringComparison.Ordinal));
        Assert.True(expected >= files, $"{files}");
    }

    [Fact]
    public void Entries_of_an_earlier_run_count_and_are_found_also_beyond_the_limit()
    {
        Flow[] flows = [.. Enumerable.Range(1, 200).Select(Flow)];
        Write(flows).Dispose();
        using FlowTree tree = Write(new FlowTreeOptions { MaximumEntries = 100 }, flows);
        Assert.Equal((0, 100), (tree.Created, tree.Count));
        Assert.False(tree.IsLimited);
        tree.Write(Flow(999));
        Assert.Contains("1 not written", tree.DescribeLimit("--max-flows"), StringComparison.Ordinal);
        Assert.Equal(200, TreeFlows.Files(Root).Length);
    }

    [Fact]
    public void What_is_folded_is_counted_once_each_and_up_to_a_number()
    {
        BoundedDistinctCount count = new(3);
        foreach (int port in new[] { 1, 2, 1, 2 })
        {
            count.Add(TreeEntry.Of(Flow(port), InternetFolding.Both));
        }

        Assert.Equal("2", count.ToString());
        foreach (int port in new[] { 3, 4, 5 })
        {
            count.Add(TreeEntry.Of(Flow(port), InternetFolding.Both));
        }

        Assert.Equal("at least 3", count.ToString());
    }

    [Fact]
    public void All_protocols_at_once_need_no_descriptor_each()
    {
        using FlowTree tree = FlowTree.Open(Root, new FlowTreeOptions());
        for (int round = 0; round < 2; round++)
        {
            for (int number = 0; number < 256; number++)
            {
                tree.Write(TreeFlows.Of(FlowDirection.Forward, (FlowProtocol)number, "10.0.0.1", 1, "10.0.0.2", round));
            }
        }

        Assert.Equal(256, Directory.GetDirectories(Path.Combine(Root, "else")).Length);
        string[] mine = [.. Directory.GetFileSystemEntries("/proc/self/fd")
            .Select(each => new FileInfo(each).LinkTarget ?? "").Where(each => each.StartsWith(Root, StringComparison.Ordinal))];
        Assert.InRange(mine.Length, 1, 70);
    }

    [Fact]
    public void A_tree_that_is_read_and_written_again_is_the_same_tree()
    {
        Flow[] flows =
        [
            Flow(443), TreeFlows.Of(FlowDirection.In, FlowProtocol.Icmp, "8.8.8.8", 8, "10.0.0.1", 0),
            TreeFlows.Of(FlowDirection.Forward, FlowProtocol.Gre, "2001:db8::1", null, "2a00::1", null),
            TreeFlows.Of(FlowDirection.In, FlowProtocol.Udp, "10.0.0.2", 9, "10.0.0.1", 53),
            TreeFlows.Of(FlowDirection.Unknown, FlowProtocol.Tcp, "10.0.0.2", 9, "8.8.8.8", 53),
            TreeFlows.Of(FlowDirection.Unknown, FlowProtocol.Tcp, "0.0.0.0", null, "10.0.0.2", 80, FlowFolding.Client),
        ];
        Write(flows).Dispose();
        string copy = PathOf("copy");
        using (FlowTree tree = FlowTree.Open(copy, new FlowTreeOptions()))
        {
            foreach (Flow flow in FlowReader.ReadTree(Root, error => Assert.Fail(error.Message)))
            {
                tree.Write(flow);
            }
        }

        Assert.Equal(flows.Length, TreeFlows.Files(Root).Length);
        Assert.Equal(TreeFlows.Files(Root), TreeFlows.Files(copy));
    }

    [Fact]
    public void Names_that_are_no_entries_are_told_and_lose_nothing_else()
    {
        Write(Flow(1), Flow(2)).Dispose();
        foreach (string hostile in new[] { "readme", "out/notes", "out/tcp/nonsense", "out/tcp/$(reboot)-1-;-2", "out/tcp/a\nb", "out/tcp/\u001b[2J" })
        {
            File.WriteAllText(Path.Combine(Root, hostile), "");
        }

        Directory.CreateDirectory(Path.Combine(Root, "out/tcp/10.0.0.1-PORT-INTERNET-3"));
        Directory.CreateDirectory(Path.Combine(Root, "out/6"));
        Directory.CreateDirectory(Path.Combine(Root, "sideways"));
        Directory.Delete(Path.Combine(Root, "else"), recursive: true);
        Directory.CreateSymbolicLink(Path.Combine(Root, "else"), Root);
        List<LogFormatException> errors = [];
        List<Flow> flows = [.. FlowReader.ReadTree(Root, error => errors.Add(Assert.IsType<LogFormatException>(error)))];
        Assert.Equal([1, 2], flows.Select(each => (int)each.DstPort!).Order());
        Assert.Equal(10, errors.Count);
        Assert.All(errors, each => Assert.True(each.Format == LogFormat.Tree && each.Message.StartsWith("Entry ", StringComparison.Ordinal)));
        Assert.DoesNotContain(errors, each => each.Message.Any(char.IsControl));
    }

    private string[] Folders() =>
        [.. Directory.EnumerateDirectories(Root, "*", SearchOption.AllDirectories)
            .Select(each => Path.GetRelativePath(Root, each)).Order(StringComparer.Ordinal)];

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        base.Dispose(disposing);
        if (_inMemory is not null)
        {
            Directory.Delete(_inMemory, recursive: true);
        }
    }
}
