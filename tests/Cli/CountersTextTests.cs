using System.Globalization;
using System.Reflection;
using Conntracker.Cli;
using Xunit;

namespace Conntracker.Tests.Cli;

public sealed class CountersTextTests
{
    [Fact]
    public void Each_counter_stands_on_a_line_of_its_own_with_its_own_number()
    {
        // Boxed, so that reflection sets the properties of this one.
        object counters = default(CaptureCounters);
        PropertyInfo[] properties = typeof(CaptureCounters).GetProperties();
        string expected = "Flows:                      1000\n";
        foreach ((int index, PropertyInfo property) in properties.Index())
        {
            property.SetValue(counters, 1001L + index);
            expected += string.Create(CultureInfo.InvariantCulture, $"{property.Name + ":",-20}{1001 + index,12}\n");
        }

        Assert.Equal(expected, CountersText.Of(1000, (CaptureCounters)counters));
    }

    [Fact]
    public void The_greatest_numbers_are_written_whole() =>
        Assert.Contains(
            "Events:             9223372036854775807\n", CountersText.Of(0, new CaptureCounters(long.MaxValue, 0, 0, 0, 0, 0)), StringComparison.Ordinal);
}
