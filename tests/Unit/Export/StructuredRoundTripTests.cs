using System.Reflection;
using System.Text;
using System.Text.Json;
using Xunit;

namespace Conntracker.Tests.Unit.Export;

public sealed class StructuredRoundTripTests
{
    public static TheoryData<LogFormat> Formats => [LogFormat.Json, LogFormat.JsonLines, LogFormat.Csv];

    [Theory]
    [MemberData(nameof(Formats))]
    public void Nothing_of_a_flow_is_lost_in_a_file_whatever_its_names_contain(LogFormat format)
    {
        Flow[] flows = [StructuredFlows.Full(), StructuredFlows.Bare(), StructuredFlows.Full(StructuredFlows.HostileName), StructuredFlows.Full("")];
        byte[] file = Logs.Write(flows, format);

        // The first reading tells the format by content and gets the bytes a few at a time.
        (List<Flow> read, List<LogFormatException> errors) = Logs.ReadWithErrors(Encoding.UTF8.GetString(file));

        Assert.Empty(errors);
        Assert.Equal(flows.Length, read.Count);
        foreach ((Flow expected, Flow actual) in flows.Zip(read))
        {
            StructuredFlows.AssertSame(expected, actual);
        }
    }

    [Fact]
    public void The_flow_of_this_test_has_every_property_set_to_something_else_than_its_default()
    {
        Flow full = StructuredFlows.Full();
        Flow bare = new() { Protocol = default, Family = default, SrcAddress = null!, DstAddress = null! };
        foreach (PropertyInfo property in typeof(Flow).GetProperties())
        {
            Assert.NotEqual(property.GetValue(bare), property.GetValue(full));
        }

        FlowProcess nobody = new() { Id = 0, Name = "nobody" };
        foreach (PropertyInfo property in typeof(FlowProcess).GetProperties())
        {
            Assert.NotEqual(property.GetValue(nobody), property.GetValue(full.Process));
        }

        TraceStep none = new() { Table = "none", Chain = "none", Type = default, Engine = TraceEngine.Iptables };
        foreach (PropertyInfo property in typeof(TraceStep).GetProperties())
        {
            Assert.NotEqual(property.GetValue(none), property.GetValue(full.Trace[0]));
        }
    }

    [Fact]
    public void JSON_keys_and_CSV_columns_are_the_properties_of_a_flow_in_its_order()
    {
        string[] properties = [.. typeof(Flow).GetProperties().Select(property => property.Name)];
        using JsonDocument json = JsonDocument.Parse(Logs.Write([StructuredFlows.Bare()], LogFormat.Json));
        string header = Encoding.UTF8.GetString(Logs.Write([], LogFormat.Csv));

        Assert.Equal(properties, json.RootElement[0].EnumerateObject().Select(property => property.Name));
        Assert.Equal(string.Join(',', properties) + "\n", header);
    }

    [Fact]
    public void Other_programs_find_names_numbers_and_times_in_JSON_as_they_expect_them()
    {
        using JsonDocument json = JsonDocument.Parse(Logs.Write([StructuredFlows.Full()], LogFormat.JsonLines));
        JsonElement flow = json.RootElement;

        Assert.Equal(143, flow.GetProperty("Protocol").GetInt32());
        Assert.Equal("IPv6", flow.GetProperty("Family").GetString());
        Assert.Equal("fe80::1%3", flow.GetProperty("SrcAddress").GetString());
        Assert.Equal("Closed", flow.GetProperty("State").GetString());
        Assert.Equal("2026-02-28T23:59:59.9991234-03:30", flow.GetProperty("FirstSeen").GetString());
        Assert.Equal("Nftables", flow.GetProperty("Trace")[0].GetProperty("Engine").GetString());
        Assert.Equal(long.MaxValue, flow.GetProperty("Trace")[0].GetProperty("Packets").GetInt64());
        Assert.Equal("Bpf", flow.GetProperty("Process").GetProperty("Source").GetString());
    }

    [Theory]
    [MemberData(nameof(Formats))]
    public void A_file_without_flows_is_read_as_one(LogFormat format)
    {
        byte[] file = Logs.Write([], format);

        Assert.Empty(Logs.Read(file, format));
        Assert.Empty(Logs.Read(file));
    }

    [Theory]
    [MemberData(nameof(Formats))]
    public void Flows_are_there_before_a_long_file_is_read_to_its_end(LogFormat format)
    {
        using MemoryStream stream = new(Logs.Write(Enumerable.Repeat(StructuredFlows.Full(), 2000), format));

        Assert.NotNull(FlowReader.Read(stream, format: null, error => Assert.Fail(error.Message)).First());
        Assert.True(stream.Position < stream.Length / 2);
    }

    [Theory]
    [MemberData(nameof(Formats))]
    public void Writing_hands_flows_on_as_they_come_so_that_a_long_capture_does_not_fill_the_memory(LogFormat format)
    {
        using MemoryStream stream = new();
        using IFlowWriter writer = FlowWriter.Create(stream, format);
        for (int i = 0; i < 1000; i++)
        {
            writer.Write(StructuredFlows.Full());
        }

        Assert.True(stream.Length > 500_000);
    }
}
