using System.Text;
using Conntracker.Core.Export.Text;
using Xunit;

namespace Conntracker.Tests.Unit.Export;

public sealed class TextReaderTests
{
    private const string Good = " TCPv4 [           0] src = 10.0.0.1 (port=1) to dst = 10.0.0.2 (port=2) (-)";

    [Theory]
    [InlineData("TCPv4 [           0] src = 10.0.0.1 (port=1) to dst = 10.0.0.2 (port=2) (-)", "label")]
    [InlineData("  P6v4 [           0] src = 10.0.0.1 to dst = 10.0.0.2 (-)", "label")]
    [InlineData("P256v4 [           0] src = 10.0.0.1 to dst = 10.0.0.2 (-)", "label")]
    [InlineData(" P099v4 [           0] src = 10.0.0.1 to dst = 10.0.0.2 (-)", "label")]
    [InlineData(" TCPv5 [           0] src = 10.0.0.1 (port=1) to dst = 10.0.0.2 (port=2) (-)", "label")]
    [InlineData(" TCPv4 [0] src = 10.0.0.1 (port=1) to dst = 10.0.0.2 (port=2) (-)", "12 columns")]
    [InlineData(" TCPv4 [            ] src = 10.0.0.1 (port=1) to dst = 10.0.0.2 (port=2) (-)", "12 columns")]
    [InlineData(" TCPv4 [           0] src = 10.0.0.256 (port=1) to dst = 10.0.0.2 (port=2) (-)", "source is not an IPv4")]
    [InlineData(" TCPv4 [           0] src = 10.0.1 (port=1) to dst = 10.0.0.2 (port=2) (-)", "source is not an IPv4")]
    [InlineData(" TCPv4 [           0] src = 10.0.0.01 (port=1) to dst = 10.0.0.2 (port=2) (-)", "source is not an IPv4")]
    [InlineData(" TCPv4 [           0] src = 10.0.0.1.1 (port=1) to dst = 10.0.0.2 (port=2) (-)", "source is not an IPv4")]
    [InlineData(" TCPv4 [           0] src = ::1 (port=1) to dst = 10.0.0.2 (port=2) (-)", "source is not an IPv4")]
    [InlineData(" TCPv6 [           0] src = ::1 (port=1) to dst = fe80::1%eth0 (port=2) (-)", "destination is not an IPv6")]
    [InlineData(" TCPv6 [           0] src = [::1] (port=1) to dst = ::1 (port=2) (-)", "source is not an IPv6")]
    [InlineData(" TCPv4 [           0] src = 10.0.0.1 (port=65536) to dst = 10.0.0.2 (port=2) (-)", "port")]
    [InlineData(" TCPv4 [           0] src = 10.0.0.1 to dst = 10.0.0.2 (port=2) (-)", "port")]
    [InlineData(" TCPv4 [           0] src = 10.0.0.1 (port=1) to 10.0.0.2 (port=2) (-)", "to dst")]
    [InlineData(" TCPv4 [           0] src = 10.0.0.1 (port=1) to dst = 10.0.0.2 (port=2) (?)", "ends with")]
    [InlineData(" TCPv4 [           0] src = 10.0.0.1 (port=1) to dst = 10.0.0.2 (port=2) (a,pid:x,uid:y)", "ends with")]
    [InlineData(" TCPv4 [           0] src = 10.0.0.1 (port=1) to dst = 10.0.0.2 (port=2) (a,b,pid:1,uid:y)", "ends with")]
    [InlineData(" TCPv4 [           0] src = 10.0.0.1 (port=1) to dst = 10.0.0.2 (port=2) ", "ends with")]
    [InlineData("ICMPv4 [           0] src = 10.0.0.1 to dst = 10.0.0.2 (type=256 | code=0)", "type and code")]
    [InlineData("ICMPv4 [           0] src = 10.0.0.1 to dst = 10.0.0.2 (type=8 | code=0) (-)", "ICMP line ends")]
    [InlineData("\t\ttable: filter, chain: INPUT, type: policy", "four tabs")]
    [InlineData("\t\t\t\ttable: filter, chain: INPUT, type: jump", "four tabs")]
    [InlineData("\t\t\t\ttable: filter, chain: INPUT, type: rule, position: x", "four tabs")]
    [InlineData("total: 3 flows", "label")]
    public void A_line_that_is_damaged_is_reported_with_its_number_and_the_reason_and_the_rest_is_read(string bad, string reason)
    {
        (List<Flow> flows, List<LogFormatException> errors) = Logs.ReadWithErrors($"{Good}\n{bad}\n\n{Good}\r\n");

        LogFormatException error = Assert.Single(errors);
        Assert.Equal(2, error.Number);
        Assert.Contains(reason, error.Reason, StringComparison.Ordinal);
        Assert.StartsWith("Line 2: ", error.Message, StringComparison.Ordinal);
        Assert.Equal(2, flows.Count);
    }

    [Fact]
    public void Trace_lines_without_a_flow_are_reported_but_those_below_a_damaged_line_are_covered_by_its_error()
    {
        const string Trace = "\t\t\t\ttable: filter, chain: INPUT, type: policy\n";
        (List<Flow> flows, List<LogFormatException> errors) = Logs.ReadWithErrors($"{Trace}{Good}\n{Trace}broken\n{Trace}{Trace}");

        Assert.Equal([1L, 4L], errors.Select(error => error.Number));
        Assert.Single(Assert.Single(flows).Trace);
    }

    [Fact]
    public void A_line_without_end_does_not_fill_the_memory_and_the_next_line_is_read()
    {
        string endless = new('x', 300_000);
        List<LogFormatException> errors = [];
        List<Flow> flows = [.. FlowReader.Read(new MemoryStream(Encoding.UTF8.GetBytes($"{endless}\n{Good}\n{endless}")), LogFormat.Text, errors.Add)];

        Assert.Equal([1L, 3L], errors.Select(error => error.Number));
        Assert.True(errors[0].Text.Length < 200);
        Assert.Single(flows);
    }

    [Fact]
    public void What_an_error_shows_of_a_file_cannot_steer_the_terminal()
    {
        LogFormatException error = Assert.Single(Logs.ReadWithErrors("\u001B]0;owned\a\n").Errors);

        Assert.DoesNotContain(error.Message, char.IsControl);
    }

    [Fact]
    public void A_caller_ends_the_reading_by_throwing() =>
        Assert.Throws<InvalidOperationException>(() =>
            FlowReader.Read(new MemoryStream("bad\nbad\n"u8.ToArray()), LogFormat.Text, _ => throw new InvalidOperationException()).Count());

    [Fact]
    public void A_byte_order_mark_is_no_part_of_the_first_line() => Assert.Single(Logs.Read(Encoding.UTF8.GetBytes($"\uFEFF{Good}\n")));

    [Fact]
    public void A_UTF16_file_is_one_clear_error() =>
        Assert.Contains("UTF-16", Assert.Single(ReadUtf16()).Message, StringComparison.Ordinal);

    [Fact]
    public void Flows_of_a_log_of_the_first_generation_are_there_before_the_file_is_read_to_its_end()
    {
        string first = " TCPv4 [           0] src = 10.0.0.1 (port=1) to dst = 10.0.0.2 (port=2)\n";
        using MemoryStream stream = new(Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat(first, 100_000))));

        Flow flow = FlowReader.Read(stream, format: null, _ => { }).First();

        Assert.Equal((ushort)2, flow.DstPort);
        Assert.True(stream.Position < stream.Length / 2);
    }

    private static List<LogFormatException> ReadUtf16()
    {
        List<LogFormatException> errors = [];
        Assert.Empty(FlowReader.Read(new MemoryStream([0xFF, 0xFE, .. Encoding.Unicode.GetBytes(Good)]), format: null, errors.Add));
        return errors;
    }

    [Fact]
    public void A_V2_log_that_is_indented_by_tabs_is_read_as_V2_and_its_mirrored_flows_stay_two()
    {
        const string Log =
            " UDPv4 [           0] src = 10.0.0.1 (port=123) to dst = 10.0.0.2 (port=123) (confirmed)\n"
            + "\t\t\t\ttable: raw, chain: PREROUTING, type: policy, position: 3\n"
            + " UDPv4 [           1] src = 10.0.0.2 (port=123) to dst = 10.0.0.1 (port=123) (confirmed)\n"
            + "\t\t\t\ttable: raw, chain: PREROUTING, type: policy, position: 3\n";
        byte[] file = System.Text.Encoding.UTF8.GetBytes(Log);

        List<Flow> flows = Logs.Read(file);

        Assert.Equal(LogStyle.V2, TextLogLine.StyleOf(Logs.ReadLines(file)));
        Assert.Equal(["10.0.0.1", "10.0.0.2"], flows.Select(flow => flow.SrcAddress.ToString()));
        Assert.Equal(
            Log.Replace("\t\t\t\t", new string(' ', 32), StringComparison.Ordinal),
            System.Text.Encoding.UTF8.GetString(Logs.Write(flows, LogFormat.Text, LogStyle.V2)));
    }

    [Theory]
    [InlineData("40000", "80", "nat, chain: PREROUTING, type: policy", "filter, chain: FORWARD, type: rule, position: 7")]
    [InlineData("40000", "80", "nat, chain: PREROUTING, type: policy")]
    [InlineData("53", "40000", "filter, chain: FORWARD, type: rule, position: 7")]
    public void A_reply_whose_line_lacks_what_only_the_first_packet_met_is_joined_and_the_log_is_written_back_as_it_was(
        string port, string peerPort, params string[] onlyFirst)
    {
        const string Both = "\t\t\t\ttable: mangle, chain: FORWARD, type: policy\n";
        string nat = string.Concat(onlyFirst.Where(each => each.StartsWith("nat", StringComparison.Ordinal)).Select(each => $"\t\t\t\ttable: {each}\n"));
        string filter = string.Concat(onlyFirst.Where(each => each.StartsWith("filter", StringComparison.Ordinal)).Select(each => $"\t\t\t\ttable: {each}\n"));
        string log =
            $" TCPv4 [           0] src = 10.0.0.1 (port={port}) to dst = 10.0.0.2 (port={peerPort}) (-)\n{Both}{nat}{filter}"
            + $" TCPv4 [           1] src = 10.0.0.2 (port={peerPort}) to dst = 10.0.0.1 (port={port}) (-)\n{Both}";
        List<Flow> flows = Logs.Read(System.Text.Encoding.UTF8.GetBytes(log));

        Flow flow = Assert.Single(flows);
        Assert.Equal(("10.0.0.1", FlowState.Replied, true), (flow.SrcAddress.ToString(), flow.State, flow.Confirmed));
        Assert.Equal(1 + onlyFirst.Length, flow.Trace.Count);
        Assert.Equal(log, Logs.WriteText(LogStyle.V3, flow));
    }

    [Fact]
    public void Mirrored_lines_that_each_met_a_rule_of_their_own_are_two_flows()
    {
        const string Log =
            " UDPv4 [           0] src = 10.0.0.1 (port=123) to dst = 10.0.0.2 (port=123) (-)\n"
            + "\t\t\t\ttable: filter, chain: FORWARD, type: rule, position: 1\n"
            + " UDPv4 [           1] src = 10.0.0.2 (port=123) to dst = 10.0.0.1 (port=123) (-)\n"
            + "\t\t\t\ttable: filter, chain: FORWARD, type: rule, position: 2\n";
        List<Flow> flows = Logs.Read(System.Text.Encoding.UTF8.GetBytes(Log));
        Assert.Equal(2, flows.Count);
        Assert.Equal(Log, Logs.WriteText(LogStyle.V3, [.. flows]));
    }

    [Fact]
    public void Two_hosts_that_ping_each_other_are_two_flows()
    {
        const string Log =
            "ICMPv4 [           0] src = 10.0.0.1 to dst = 10.0.0.2 (type=0 | code=0)\n"
            + "ICMPv4 [           1] src = 10.0.0.2 to dst = 10.0.0.1 (type=0 | code=0)\n";

        List<Flow> flows = Logs.Read(System.Text.Encoding.UTF8.GetBytes(Log));

        Assert.Equal(2, flows.Count);
        Assert.Equal(Log, System.Text.Encoding.UTF8.GetString(Logs.Write(flows, LogFormat.Text)));
    }
}
