using Conntracker.Cli;
using Xunit;

namespace Conntracker.Tests.Cli;

public sealed class ByteSizeTests
{
    [Theory]
    [InlineData("0", 0)]
    [InlineData("4096", 4096)]
    [InlineData("0004096", 4096)]
    [InlineData("1k", 1024)]
    [InlineData("512K", 524_288)]
    [InlineData("64M", 67_108_864)]
    [InlineData("64m", 67_108_864)]
    [InlineData("1G", 1_073_741_824)]
    [InlineData("1g", 1_073_741_824)]
    [InlineData("2147483647", int.MaxValue)]
    [InlineData("2097151K", int.MaxValue - 1023)]
    [InlineData("2047M", int.MaxValue - 1_048_575)]
    public void A_number_is_read_in_powers_of_1024(string text, int expected)
    {
        Assert.True(ByteSize.TryParse(text, out int bytes));
        Assert.Equal(expected, bytes);
    }

    [Theory]
    [InlineData("")]
    [InlineData(" ")]
    [InlineData("K")]
    [InlineData("M64")]
    [InlineData("64 M")]
    [InlineData(" 64M")]
    [InlineData("64M ")]
    [InlineData("64MB")]
    [InlineData("64MK")]
    [InlineData("-1")]
    [InlineData("+1")]
    [InlineData("1.5M")]
    [InlineData("1,024")]
    [InlineData("0x1000")]
    [InlineData("1T")]
    [InlineData("٤٠٩٦")]
    [InlineData("2147483648")]
    [InlineData("2097152K")]
    [InlineData("2048M")]
    [InlineData("2G")]
    [InlineData("9223372036854775807G")]
    [InlineData("9223372036854775808")]
    public void Everything_else_is_refused_and_nothing_overflows(string text)
    {
        Assert.False(ByteSize.TryParse(text, out int bytes));
        Assert.Equal(0, bytes);
    }
}
