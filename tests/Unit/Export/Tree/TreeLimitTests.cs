using Conntracker.Core.Export.Tree;
using Xunit;

namespace Conntracker.Tests.Unit;

/// <summary>Whoever only sends packets can make entries, but cannot take a file system's inodes.</summary>
public sealed class TreeLimitTests
{
    [Theory]
    [InlineData("what the user allows is less than a tenth", 1_000_000, 0, 20_000_000, 1_000_000)]
    [InlineData("a tenth of what is free", 1_000_000, 0, 1_000_000, 100_000)]
    [InlineData("entries that are there take none of it", 1_000_000, 5000, 1_000_000, 105_000)]
    [InlineData("hardly any is free", 1_000_000, 0, 1024, 102)]
    public void A_tree_takes_a_tenth_of_the_free_inodes_at_most(string name, int wanted, int present, long free, int expected) =>
        Assert.True(TreeLimit.Of(wanted, present, free) == expected, name);

    [Fact]
    public void Where_too_few_are_free_no_tree_is_opened() => Assert.Null(TreeLimit.Of(1_000_000, 0, 1023));

    [Fact]
    public void A_file_system_that_makes_inodes_as_it_needs_them_sets_no_limit() => Assert.Equal(1_000_000, TreeLimit.Of(1_000_000, 0, null));
}
