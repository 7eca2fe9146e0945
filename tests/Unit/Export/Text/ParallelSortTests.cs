using Conntracker.Core.Export.Text;
using Xunit;

namespace Conntracker.Tests.Unit.Export;

/// <summary>The sort of a large log's lines on two threads.</summary>
public sealed class ParallelSortTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(1000)]
    [InlineData(65_535)]
    [InlineData(65_536)]
    [InlineData(65_537)]
    [InlineData(200_001)]
    public void The_lines_of_a_log_of_any_size_come_out_in_order_and_none_is_missing(int count)
    {
        // Few different numbers, so that many are equal; what lies behind the count must not come in.
        Random random = new(count);
        int[] numbers = [.. Enumerable.Range(0, count).Select(_ => random.Next(5000)), -1, -1];
        int[] expected = [.. numbers.Take(count).Order()];

        int[] sorted = ParallelSort.Sort(numbers, count);

        Assert.Equal(expected, sorted.Take(count));
    }
}
