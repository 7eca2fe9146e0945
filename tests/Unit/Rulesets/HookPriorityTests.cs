using Conntracker.Core.Rulesets;
using Xunit;

namespace Conntracker.Tests.Unit;

/// <summary>Which of two engines a packet met last is told by the priorities of their chains.</summary>
public sealed class HookPriorityTests
{
    [Theory]
    [InlineData("filter", 0)]
    [InlineData("filter + 5", 5)]
    [InlineData("filter - 10", -10)]
    [InlineData("-500", -500)]
    [InlineData("raw", -300)]
    [InlineData("mangle - 1", -151)]
    [InlineData("dstnat", -100)]
    [InlineData("security", 50)]
    [InlineData("srcnat + 1", 101)]
    [InlineData(null, null)]
    [InlineData("", null)]
    [InlineData("other", null)]
    [InlineData("filter +", null)]
    [InlineData("filter + x", null)]
    [InlineData("filter * 5", null)]
    public void A_priority_that_nft_prints_is_a_number(string? text, int? expected) => Assert.Equal(expected, HookPriority.Parse(text));

    [Theory]
    [InlineData("raw", "output", -300)]
    [InlineData("mangle", "postrouting", -150)]
    [InlineData("nat", "prerouting", -100)]
    [InlineData("nat", "output", -100)]
    [InlineData("nat", "input", 100)]
    [InlineData("nat", "postrouting", 100)]
    [InlineData("nat", null, null)]
    [InlineData("filter", "forward", 0)]
    [InlineData("security", "forward", 50)]
    [InlineData("other", "forward", null)]
    public void A_table_of_iptables_stands_where_the_kernel_puts_it(string table, string? hook, int? expected) =>
        Assert.Equal(expected, HookPriority.OfIptables(table, hook));
}
