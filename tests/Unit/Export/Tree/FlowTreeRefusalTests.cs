using System.Diagnostics;
using Xunit;

namespace Conntracker.Tests.Unit.Export;

/// <summary>Directories and entries that a tree refuses, because another user may have made them or may lead the writer elsewhere.</summary>
public sealed class FlowTreeRefusalTests : FlowTreeTest
{
    [Theory]
    [InlineData("tree")]
    [InlineData("tree/out")]
    [InlineData("tree/out/tcp")]
    public void A_link_in_place_of_a_directory_is_refused_and_nothing_appears_behind_it(string slot)
    {
        string outside = PathOf("outside");
        Directory.CreateDirectory(outside);
        Directory.CreateDirectory(Path.GetDirectoryName(PathOf(slot))!);
        Directory.CreateSymbolicLink(PathOf(slot), outside);
        LogFileException error = Assert.Throws<LogFileException>(() => Write(Flow(1)));
        Assert.Equal((LogFileReason.TargetIsLink, PathOf(slot)), (error.Reason, error.Path));
        Assert.Empty(Directory.EnumerateFileSystemEntries(outside));
    }

    [Fact]
    public void A_link_that_appears_while_the_tree_is_open_is_refused_too()
    {
        string outside = PathOf("outside");
        Directory.CreateDirectory(outside);
        using FlowTree tree = FlowTree.Open(Root, new FlowTreeOptions());
        Directory.Delete(Path.Combine(Root, "out"), recursive: true);
        Directory.CreateSymbolicLink(Path.Combine(Root, "out"), outside);
        Assert.Equal(LogFileReason.TargetIsLink, Assert.Throws<LogFileException>(() => tree.Write(Flow(1))).Reason);
        Assert.Empty(Directory.EnumerateFileSystemEntries(outside));

        // What is not concerned goes on.
        tree.Write(TreeFlows.Of(FlowDirection.In, FlowProtocol.Tcp, "8.8.8.8", 5, "10.0.0.1", 22));
        Assert.True(File.Exists(Path.Combine(Root, "in/tcp/INTERNET-PORT-10.0.0.1-22")));
    }

    [Fact]
    public void A_link_in_place_of_an_entry_is_not_followed()
    {
        string victim = PathOf("victim");
        Directory.CreateDirectory(Path.Combine(Root, "out/tcp"));
        File.CreateSymbolicLink(Path.Combine(Root, "out/tcp/10.0.0.1-PORT-INTERNET-1"), victim);
        using FlowTree tree = FlowTree.Open(Root, new FlowTreeOptions());
        File.CreateSymbolicLink(Path.Combine(Root, "out/tcp/10.0.0.1-PORT-INTERNET-2"), victim);
        tree.Write(Flow(1));
        tree.Write(Flow(2));
        Assert.False(File.Exists(victim));
        Assert.Equal((0, 2), (tree.Created, tree.Count));
    }

    [Theory]
    [InlineData("tree")]
    [InlineData("tree/out")]
    [InlineData("tree/out/tcp")]
    public void A_directory_of_another_user_is_refused_even_for_root(string slot)
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "Needs root, to give a folder to another user.");
        Directory.CreateDirectory(PathOf(slot));
        using Process chown = Process.Start("chown", ["12345", PathOf(slot)]);
        chown.WaitForExit();
        LogFileException error = Assert.Throws<LogFileException>(() => Write(Flow(1)));
        Assert.Equal(LogFileReason.ForeignOwner, error.Reason);
        Assert.Contains("12345", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("tree")]
    [InlineData("tree/out")]
    [InlineData("tree/out/tcp")]
    public void A_file_in_place_of_a_directory_is_an_error(string slot)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(PathOf(slot))!);
        File.WriteAllText(PathOf(slot), "precious");
        Assert.Equal(LogFileReason.NotFolder, Assert.Throws<LogFileException>(() => Write(Flow(1))).Reason);
        Assert.Equal("precious", File.ReadAllText(PathOf(slot)));
    }

    [Fact]
    public void A_missing_parent_is_an_error_and_is_not_made()
    {
        LogFileException error = Assert.Throws<LogFileException>(() => FlowTree.Open(PathOf("no/tree"), new FlowTreeOptions()));
        Assert.Equal(LogFileReason.MissingDirectory, error.Reason);
        Assert.False(Directory.Exists(PathOf("no")));
    }

    [Fact]
    public void A_directory_that_must_be_empty_is_refused_when_it_is_not()
    {
        FlowTreeOptions options = new() { NoClobber = true };
        Write(options, Flow(1)).Dispose();
        Assert.Equal(LogFileReason.Exists, Assert.Throws<LogFileException>(() => Write(options, Flow(2))).Reason);
        Assert.Single(TreeFlows.Files(Root));
    }

    [Fact]
    public void A_directory_that_another_program_removes_is_made_again()
    {
        using FlowTree tree = Write(Flow(1));
        Directory.Delete(Path.Combine(Root, "out"), recursive: true);
        tree.Write(Flow(2));
        Assert.Equal(["out/tcp/10.0.0.1-PORT-INTERNET-2"], TreeFlows.Files(Root));
        Directory.Delete(Root, recursive: true);
        Assert.Equal(LogFileReason.MissingDirectory, Assert.Throws<LogFileException>(() => tree.Write(Flow(3))).Reason);
    }
}
