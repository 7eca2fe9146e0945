using Conntracker.Core.Tracing;
using Xunit;

namespace Conntracker.Tests.Unit;

/// <summary>The memory that senders of packets can have the kernel hold for tracing follows from the machine's.</summary>
public class TraceCapacityTests
{
    [Theory]
    [InlineData("MemTotal:       24684084 kB\nMemFree: 1 kB\n", 370_261)]
    [InlineData("MemTotal:        1000000 kB\n", 15_000)]
    [InlineData("MemTotal:          65536 kB\n", 4096)]
    [InlineData("MemTotal:    17179869184 kB\n", 1 << 20)]
    [InlineData("MemTotal: 9223372036854775807 kB\n", 1 << 20)]
    [InlineData("MemFree: 1 kB\n", 4096)]
    [InlineData("MemTotal: many kB\n", 4096)]
    [InlineData("", 4096)]
    public void The_sets_hold_what_a_64th_of_the_memory_has_room_for(string memory, int expected) => Assert.Equal(expected, TraceCapacity.Of(memory));
}
