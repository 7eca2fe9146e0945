using System.Text;
using Conntracker.Core.Export;
using Conntracker.Core.Export.Common;
using Xunit;

namespace Conntracker.Tests.Unit.Export;

public sealed class FormatDetectionTests
{
    [Theory]
    [InlineData("", LogFormat.Text)]
    [InlineData("\n\n TCPv4 [           0] src", LogFormat.Text)]
    [InlineData(" \r\n\t[", LogFormat.Json)]
    [InlineData("\uFEFF[]", LogFormat.Json)]
    [InlineData("{\"Protocol\":6}", LogFormat.JsonLines)]
    [InlineData("Protocol,Family", LogFormat.Csv)]
    [InlineData("\"Note\",\"SrcAddress\"\r\n", LogFormat.Csv)]
    [InlineData("Protocol", LogFormat.Text)]
    [InlineData("one, two, three\nProtocol,Family", LogFormat.Text)]
    public void A_file_need_not_be_named_for_its_format(string content, LogFormat format)
    {
        using InputBuffer input = new(new DribblingStream(Encoding.UTF8.GetBytes(content), most: 1));

        Assert.Equal(format, LogFormatDetector.Detect(input));
    }

    [Fact]
    public void A_format_that_is_asked_for_is_not_second_guessed() =>
        Assert.Equal(LogFormat.Text, Assert.Single(Logs.ReadWithErrors("[]", LogFormat.Text).Errors).Format);
}
