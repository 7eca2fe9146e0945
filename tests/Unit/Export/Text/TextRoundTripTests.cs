using System.Text;
using Xunit;

namespace Conntracker.Tests.Unit.Export;

public sealed class TextRoundTripTests
{
    [Theory]
    [InlineData(LogStyle.V1)]
    [InlineData(LogStyle.V2)]
    [InlineData(LogStyle.V3)]
    public void A_log_that_is_imported_and_exported_again_is_the_same_text(LogStyle style)
    {
        for (int seed = 0; seed < 60; seed++)
        {
            byte[] first = Logs.Write(Logs.Random(seed, 1 << (seed % 10)), LogFormat.Text, style);
            byte[] second = Logs.Write(Logs.Read(first, LogFormat.Text), LogFormat.Text, style);
            Assert.Equal(Encoding.UTF8.GetString(first), Encoding.UTF8.GetString(second));
        }
    }

    [Theory]
    [InlineData(LogStyle.V1)]
    [InlineData(LogStyle.V2)]
    [InlineData(LogStyle.V3)]
    public void A_sorted_log_is_read_line_by_line_and_written_back_byte_for_byte(LogStyle style)
    {
        for (int seed = 0; seed < 20; seed++)
        {
            byte[] text = Logs.Write(Logs.Random(seed, 300), LogFormat.Text, style);
            Assert.Equal(Encoding.UTF8.GetString(text), Encoding.UTF8.GetString(Logs.WriteLines(Logs.ReadLines(text), style)));
        }
    }

    [Fact]
    public void The_order_in_which_flows_are_added_does_not_show_in_the_log()
    {
        List<Flow> flows = Logs.Random(5, 400);
        byte[] one = Logs.Write(flows, LogFormat.Text);
        flows.Reverse();

        Assert.Equal(Encoding.UTF8.GetString(one), Encoding.UTF8.GetString(Logs.Write(flows, LogFormat.Text)));
    }
}
