using Conntracker.Cli;
using Xunit;

namespace Conntracker.Tests.Cli;

public sealed class TreeKeeperTests : IDisposable
{
    private readonly TempDirectory _folder = new();
    private readonly ConsoleText _console = new();
    private readonly CaptureSession _session = CaptureSession.Start(
        new CaptureOptions { ReplayPath = Fixture.Recording }, TestContext.Current.CancellationToken);

    public void Dispose()
    {
        _session.Dispose();
        _console.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public void Flows_of_a_capture_that_has_ended_become_entries()
    {
        using TreeKeeper keeper = new(_folder.File("tree"), new FlowTreeOptions());
        using IDisposable following = keeper.Start(_session, isLive: false);
        Assert.True(keeper.Finish(_session));
        Assert.NotEmpty(Directory.GetFiles(_folder.File("tree"), "*", SearchOption.AllDirectories));
        Assert.Equal("", _console.Error);
    }

    [Fact]
    public void An_entry_that_cannot_be_made_is_reported_once_and_the_others_are_made()
    {
        string tree = _folder.File("tree");
        using TreeKeeper keeper = new(tree, new FlowTreeOptions { FoldInternet = InternetFolding.None });
        Directory.Delete(Path.Join(tree, "else"), recursive: true);
        Directory.CreateSymbolicLink(Path.Join(tree, "else"), Directory.CreateDirectory(_folder.File("elsewhere")).FullName);
        using IDisposable following = keeper.Start(_session, isLive: false);
        Assert.False(keeper.Finish(_session));
        string line = Assert.Single(_console.ErrorLines);
        Assert.StartsWith("conntracker: note: ", line, StringComparison.Ordinal);
        Assert.EndsWith(" The capture continues and tries to create further entries. The exit code will be 1.", line, StringComparison.Ordinal);
        Assert.NotEmpty(Directory.GetFiles(tree, "*", SearchOption.AllDirectories));
    }

    [Fact]
    public void A_defect_of_the_tree_ends_neither_the_process_nor_the_run()
    {
        using TreeKeeper keeper = new(_folder.File("tree"), new FlowTreeOptions());
        keeper.Dispose();
        using IDisposable following = keeper.Start(_session, isLive: false);
        Assert.False(keeper.Finish(_session));
        Assert.All(_console.ErrorLines, line => Assert.StartsWith(
            $"conntracker: note: The tree '{_folder.File("tree")}' is incomplete: unexpected ObjectDisposedException at ", line, StringComparison.Ordinal));
        Assert.Equal(2, _console.ErrorLines.Length);
    }
}
