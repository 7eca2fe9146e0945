using System.Text;
using Xunit;

namespace Conntracker.Tests.Unit.Export;

public sealed class JsonReaderTests
{
    private const string Good = """{"Protocol":"Tcp","Family":"IPv4","SrcAddress":"10.0.0.1","DstAddress":"10.0.0.2"}""";

    [Fact]
    public void What_a_file_leaves_out_has_the_default_that_a_new_flow_has()
    {
        Flow flow = Assert.Single(Logs.Read(Encoding.UTF8.GetBytes(Good)));

        Assert.Equal(1, flow.Connections);
        Assert.Empty(flow.Trace);
        Assert.Null(flow.Process);
    }

    [Theory]
    [InlineData("""{"Protocol":"Tcp","Family":"IPv4","SrcAddress":"10.0.0.1"}""", "DstAddress")]
    [InlineData("""{"Protocol":"Tcp","Family":"IPv4","SrcAddress":null,"DstAddress":"10.0.0.2"}""", "SrcAddress")]
    [InlineData("""{"Protocol":"Tcp","Family":"IPv6","SrcAddress":"10.0.0.1","DstAddress":"10.0.0.2"}""", "not an IPv6 address")]
    [InlineData("""{"Protocol":"Tcp","Family":"None","SrcAddress":"10.0.0.1","DstAddress":"10.0.0.2"}""", "Family")]
    [InlineData("""{"Protocol":"Tcp","Family":"IPv4","SrcAddress":"10.1","DstAddress":"10.0.0.2"}""", "SrcAddress")]
    [InlineData("""{"Protocol":"Tcp","Family":"IPv4","SrcAddress":"10.0.0.1","DstAddress":"10.0.0.2","SrcPort":65536}""", "SrcPort")]
    [InlineData("""{"Protocol":"Tcp","Family":"IPv4","SrcAddress":"10.0.0.1","DstAddress":"10.0.0.2","State":"Gone"}""", "State")]
    [InlineData("""{"Protocol":"Tcp","Family":"IPv4","SrcAddress":"10.0.0.1","DstAddress":"10.0.0.2","State":77}""", "State")]
    [InlineData("""{"Protocol":"Tcp","Family":"IPv4","SrcAddress":"10.0.0.1","DstAddress":"10.0.0.2","State":"New,Closed"}""", "State")]
    [InlineData("""{"Protocol":256,"Family":"IPv4","SrcAddress":"10.0.0.1","DstAddress":"10.0.0.2"}""", "Protocol")]
    [InlineData("""{"Protocol":"Tcp","Family":"IPv4","SrcAddress":"10.0.0.1","DstAddress":"10.0.0.2","Trace":[null]}""", "Trace")]
    [InlineData("""{"Protocol":"Tcp","Family":"IPv4","SrcAddress":"10.0.0.1","DstAddress":"10.0.0.2","Trace":null}""", "Trace")]
    [InlineData("""{"Protocol":"Tcp","Family":"IPv4","SrcAddress":"10.0.0.1","DstAddress":"10.0.0.2","Process":{"Id":1}}""", "Name")]
    [InlineData("17", "Flow")]
    [InlineData("null", "null")]
    public void An_object_that_is_no_flow_is_reported_with_the_property_and_the_others_are_read(string bad, string reason)
    {
        (List<Flow> flows, List<LogFormatException> errors) = Logs.ReadWithErrors($"[{Good},\n{bad} ,{Good}]");
        Assert.Equal(2, flows.Count);
        Assert.Equal(2, Assert.Single(errors).Number);
        Assert.Contains(reason, errors[0].Reason, StringComparison.Ordinal);
        Assert.StartsWith("Element 2: ", errors[0].Message, StringComparison.Ordinal);

        (flows, errors) = Logs.ReadWithErrors($"{Good}\n\n{bad}\r\n{Good}", LogFormat.JsonLines);
        Assert.Equal(2, flows.Count);
        Assert.Equal(3, Assert.Single(errors).Number);
        Assert.Contains(reason, errors[0].Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void A_line_of_broken_JSON_costs_only_itself()
    {
        (List<Flow> flows, List<LogFormatException> errors) = Logs.ReadWithErrors($"{Good}\n{Good[..40]}\n{Good}\n");

        Assert.Equal(2, flows.Count);
        Assert.Equal(2, Assert.Single(errors).Number);
    }

    [Theory]
    [InlineData("[{0},{0}")]
    [InlineData("[{0},{0},")]
    [InlineData("[{0},{0},{{\"Protocol\":")]
    [InlineData("[{0},{0} {0}]")]
    [InlineData("[{0},{0}] {0}")]
    public void An_array_that_breaks_off_gives_the_flows_before_and_one_error(string file)
    {
        (List<Flow> flows, List<LogFormatException> errors) = Logs.ReadWithErrors(string.Format(null, file, Good));

        Assert.Equal(2, flows.Count);
        Assert.Contains("not valid", Assert.Single(errors).Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_that_is_no_array_is_one_error_when_one_is_asked_for() =>
        Assert.Contains("'['", Assert.Single(Logs.ReadWithErrors(Good, LogFormat.Json).Errors).Reason, StringComparison.Ordinal);
}
