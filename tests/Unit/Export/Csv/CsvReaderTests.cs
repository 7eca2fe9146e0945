using System.Text;
using Xunit;

namespace Conntracker.Tests.Unit.Export;

public sealed class CsvReaderTests
{
    [Theory]
    [InlineData("Protocol,Family,SrcAddress,DstAddress\nTcp,IPv4,10.0.0.1,10.0.0.2\n")]
    [InlineData("Protocol,Family,SrcAddress,DstAddress\r\nTcp,IPv4,10.0.0.1,10.0.0.2\r\n")]
    [InlineData("\uFEFFProtocol,Family,SrcAddress,DstAddress\r\nTcp,IPv4,10.0.0.1,10.0.0.2")]
    [InlineData("\"Protocol\",\"Family\",\"SrcAddress\",\"DstAddress\"\r\n\"Tcp\",\"IPv4\",\"10.0.0.1\",\"10.0.0.2\"\r")]
    [InlineData("DstAddress,Note,SrcAddress,protocol,FAMILY,SrcPort\n\n10.0.0.2,\"a\n\"\"b\"\", c\",10.0.0.1,6,ipv4,\n\n")]
    public void A_file_that_a_spreadsheet_or_a_script_wrote_is_read(string file)
    {
        (List<Flow> flows, List<LogFormatException> errors) = Logs.ReadWithErrors(file);

        Assert.Empty(errors);
        Assert.Equal("Tcp 10.0.0.1 -> 10.0.0.2", Assert.Single(flows).ToString());
        Assert.Equal(1, flows[0].Connections);
    }

    [Theory]
    [InlineData("Protocol,SrcPort\nTcp,1\n", "does not contain Family, SrcAddress, DstAddress")]
    [InlineData("Protocol,Family,SrcAddress,DstAddress,Family\n", "Family twice")]
    public void A_header_that_does_not_do_is_one_clear_error(string file, string reason) =>
        Assert.Contains(reason, Assert.Single(Logs.ReadWithErrors(file).Errors).Reason, StringComparison.Ordinal);

    [Theory]
    [InlineData("Tcp,IPv4,10.0.0.1,10.0.0.2,65536,", "SrcPort")]
    [InlineData("Tcp,IPv4,10.0.0.1,10.0.0.2,1,{\"Id\":1}", "a quote inside")]
    [InlineData("Tcp,IPv4,10.0.0.1,10.0.0.2,1,\"{\"\"Id\"\":1}\"", "Process")]
    [InlineData("Tcp,IPv4,10.0.0.1,10.0.0.2,1", "5 cells")]
    [InlineData("Tcp,,10.0.0.1,10.0.0.2,1,", "Family is empty")]
    [InlineData("Tcp,IPv4,10.0.0.1,::1,1,", "DstAddress")]
    [InlineData("Tcp,IPv4,10.0.0.1,10.0.0.2,1,\"a\"b", "closing quote")]
    [InlineData("Tcp,IPv4,10.0.0.1,10.0.0.2,1,\"a\rb\"\rb", "closing quote")]
    public void A_record_that_is_no_flow_is_reported_with_its_line_and_the_others_are_read(string bad, string reason)
    {
        const string Good = "Tcp,IPv4,10.0.0.1,10.0.0.2,1,\n";
        (List<Flow> flows, List<LogFormatException> errors) =
            Logs.ReadWithErrors($"Protocol,Family,SrcAddress,DstAddress,SrcPort,Process\n{Good}{bad}\n{Good}");

        Assert.Equal(2, flows.Count);
        Assert.Equal(3, Assert.Single(errors).Number);
        Assert.Contains(reason, errors[0].Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void A_quote_that_is_never_closed_costs_only_its_line()
    {
        (List<Flow> flows, List<LogFormatException> errors) = Logs.ReadWithErrors(
            "Protocol,Family,SrcAddress,DstAddress,VerdictRule\nTcp,IPv4,10.0.0.1,10.0.0.2,\"x\nTcp,IPv4,10.0.0.3,10.0.0.4,y\n");

        Assert.Contains("never closed", Assert.Single(errors).Reason, StringComparison.Ordinal);
        Assert.Equal("y", Assert.Single(flows).VerdictRule);
    }

    [Fact]
    public void Lines_inside_a_cell_count_so_that_errors_name_the_line_that_an_editor_shows()
    {
        LogFormatException error = Assert.Single(Logs.ReadWithErrors(
            "Protocol,Family,SrcAddress,DstAddress,VerdictRule\nTcp,IPv4,10.0.0.1,10.0.0.2,\"x\ny\r\nz\"\nbad\n").Errors);

        Assert.Equal(5, error.Number);
    }

    [Fact]
    public void A_missing_text_and_an_empty_one_stay_two_things()
    {
        string file = Encoding.UTF8.GetString(Logs.Write([StructuredFlows.Bare()], LogFormat.Csv));

        Assert.EndsWith(",\"\",False,,,\n", file, StringComparison.Ordinal);
    }
}
