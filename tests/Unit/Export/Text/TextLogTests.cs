using System.Net;
using Conntracker.Core.Export.Text;
using Xunit;
using static Conntracker.Tests.Unit.Export.Logs;

namespace Conntracker.Tests.Unit.Export;

public sealed class TextLogTests
{
    private static readonly FlowProcess s_ssh = new() { Id = 5057, Name = "ssh", UserId = 0, UserName = "root" };

    [Fact]
    public void Hosts_of_one_subnet_stand_together_because_addresses_sort_as_numbers()
    {
        string text = WriteText(LogStyle.V3, Tcp("10.0.0.10", 5, "10.0.0.1", 80), Tcp("10.0.0.9", 5, "10.0.0.1", 80),
            Tcp("10.0.0.9", 5, "9.0.0.1", 80), Tcp("10.0.0.9", 4, "10.0.0.1", 90), Tcp("200.0.0.1", 5, "10.0.0.1", 80));

        Assert.Equal(
            """
             TCPv4 [           0] src = 10.0.0.9 (port=5) to dst = 9.0.0.1 (port=80) (-)
             TCPv4 [           1] src = 10.0.0.9 (port=4) to dst = 10.0.0.1 (port=90) (-)
             TCPv4 [           2] src = 10.0.0.9 (port=5) to dst = 10.0.0.1 (port=80) (-)
             TCPv4 [           3] src = 10.0.0.10 (port=5) to dst = 10.0.0.1 (port=80) (-)
             TCPv4 [           4] src = 200.0.0.1 (port=5) to dst = 10.0.0.1 (port=80) (-)

            """,
            text);
    }

    [Fact]
    public void Labels_come_in_the_logs_order_and_count_each_for_itself()
    {
        (FlowProtocol, string)[] kinds =
        [
            (FlowProtocol.UdpLite, "10.0.0.1"), (FlowProtocol.Sctp, "::1"), (FlowProtocol.Sctp, "10.0.0.1"), (FlowProtocol.Gre, "10.0.0.1"),
            ((FlowProtocol)99, "::1"), (FlowProtocol.Icmp, "::1"), (FlowProtocol.IcmpV6, "::1"), (FlowProtocol.Udp, "::1"), (FlowProtocol.Tcp, "::1"),
            (FlowProtocol.Icmp, "10.0.0.1"), (FlowProtocol.Udp, "10.0.0.1"), (FlowProtocol.Tcp, "10.0.0.1"), (FlowProtocol.Dccp, "::1"),
            (FlowProtocol.Tcp, "10.0.0.2"),
        ];
        Flow[] flows = [.. kinds.Select(kind => new Flow
        {
            Protocol = kind.Item1,
            Family = kind.Item2.Contains(':', StringComparison.Ordinal) ? FlowFamily.IPv6 : FlowFamily.IPv4,
            SrcAddress = IPAddress.Parse(kind.Item2),
            DstAddress = IPAddress.Parse(kind.Item2),
        })];

        Assert.Equal(
            [
                " TCPv4 [           0]", " TCPv4 [           1]", " UDPv4 [           0]", "ICMPv4 [           0]", " TCPv6 [           0]",
                " UDPv6 [           0]", "ICMPv6 [           0]", "  P1v6 [           0]", "DCCPv6 [           0]", " GREv4 [           0]",
                " P99v6 [           0]", "SCTPv4 [           0]", "SCTPv6 [           0]", "UDPLv4 [           0]",
            ],
            WriteText(LogStyle.V3, flows).Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line[..21]));
    }

    [Theory]
    [InlineData(LogStyle.V1)]
    [InlineData(LogStyle.V2)]
    public void Connections_of_one_client_to_one_service_are_one_line_confirmed_if_any_was(LogStyle style)
    {
        string text = WriteText(style, Tcp("10.0.0.1", 40000, "10.0.0.2", 443), Tcp("10.0.0.1", 40001, "10.0.0.2", 443, confirmed: true, reply: true),
            Tcp("10.0.0.1", 1024, "10.0.0.2", 443), Tcp("10.0.0.1", 1023, "10.0.0.2", 443), Tcp("10.0.0.1", null, "10.0.0.2", 443));

        Assert.Equal(
            """
             TCPv4 [           0] src = 10.0.0.1 (port=1023) to dst = 10.0.0.2 (port=443)
             TCPv4 [           1] src = 10.0.0.1 (port=1024) to dst = 10.0.0.2 (port=443) (confirmed)

            """,
            text);
    }

    [Fact]
    public void An_answered_flow_shows_its_reply_direction_as_it_is_after_NAT()
    {
        Flow flow = new()
        {
            Protocol = FlowProtocol.Tcp,
            Family = FlowFamily.IPv4,
            SrcAddress = IPAddress.Parse("192.168.1.5"),
            SrcPort = 40000,
            DstAddress = IPAddress.Parse("203.0.113.1"),
            DstPort = 80,
            ReplySrcAddress = IPAddress.Parse("10.9.9.9"),
            ReplySrcPort = 8080,
            ReplyDstAddress = IPAddress.Parse("198.51.100.7"),
            ReplyDstPort = 61000,
            Confirmed = true,
            Process = s_ssh,
        };

        Assert.Equal(
            """
             TCPv4 [           0] src = 10.9.9.9 (port=8080) to dst = 198.51.100.7 (port=61000) (ssh,pid:5057,uid:root)
             TCPv4 [           1] src = 192.168.1.5 (port=40000) to dst = 203.0.113.1 (port=80) (ssh,pid:5057,uid:root)

            """,
            WriteText(LogStyle.V3, flow));
    }

    [Fact]
    public void A_ping_that_was_answered_is_one_line_with_the_type_of_its_request()
    {
        Flow ping = new()
        {
            Protocol = FlowProtocol.Icmp,
            Family = FlowFamily.IPv4,
            SrcAddress = IPAddress.Parse("10.0.0.1"),
            DstAddress = IPAddress.Parse("8.8.4.4"),
            IcmpType = 8,
            IcmpCode = 0,
            ReplySrcAddress = IPAddress.Parse("8.8.4.4"),
            ReplyDstAddress = IPAddress.Parse("10.0.0.1"),
            Confirmed = true,
            Process = s_ssh,
        };

        string text = WriteText(LogStyle.V3, ping);

        Assert.Equal(
            "ICMPv4 [           0] src = 10.0.0.1 to dst = 8.8.4.4 (type=8 | code=0)\n",
            text);
        Flow read = Assert.Single(Read(System.Text.Encoding.UTF8.GetBytes(text)));
        Assert.Equal("10.0.0.1", read.SrcAddress.ToString());
        Assert.Equal((byte)8, read.IcmpType);
        Assert.Equal(
            "ICMPv4 [           0] src = 10.0.0.1 to dst = 8.8.4.4 (type=8 | code=0) (confirmed)\n", WriteText(LogStyle.V1, ping));
    }

    [Fact]
    public void V2_shows_every_table_and_every_position_of_all_connections_of_a_line()
    {
        string text = WriteText(LogStyle.V2,
            Tcp("10.0.0.1", 40000, "10.0.0.2", 443, trace: [Step("filter", "INPUT", TraceStepType.Rule, 10), Step("filter", "INPUT", TraceStepType.Rule, 9)]),
            Tcp("10.0.0.1", 40001, "10.0.0.2", 443, trace:
            [
                Step("firewall", "in", TraceStepType.Rule, 2, "inet"),
                Step("raw", "PREROUTING", TraceStepType.Policy, 3), Step("nat", "B", TraceStepType.Return, 1),
                Step("nat", "B", TraceStepType.Rule, 4), Step("nat", "A", TraceStepType.Rule, 4), Step("mangle", "X", TraceStepType.Rule, null),
                Step("filter", "INPUT", TraceStepType.Rule, 9), Step("filter", "INPUT", TraceStepType.Policy, 11),
            ]));

        Assert.Equal(
            """
             TCPv4 [           0] src = 10.0.0.1 (port=1024) to dst = 10.0.0.2 (port=443)
                                            table: raw, chain: PREROUTING, type: policy, position: 3
                                            table: mangle, chain: X, type: rule
                                            table: nat, chain: A, type: rule, position: 4
                                            table: nat, chain: B, type: rule, position: 4
                                            table: nat, chain: B, type: return, position: 1
                                            table: filter, chain: INPUT, type: policy, position: 11
                                            table: filter, chain: INPUT, type: rule, position: 9
                                            table: filter, chain: INPUT, type: rule, position: 10
                                            table: inet firewall, chain: in, type: rule, position: 2

            """,
            text);
    }

    [Fact]
    public void V3_leaves_out_the_raw_table_of_iptables_and_the_position_of_policies()
    {
        string text = WriteText(LogStyle.V3, Tcp("10.0.0.1", 40000, "10.0.0.2", 443, trace:
        [
            Step("raw", "PREROUTING", TraceStepType.Rule, 3), Step("raw", "pre", TraceStepType.Rule, 1, "inet"),
            Step("filter", "INPUT", TraceStepType.Policy, 8), Step("filter", "INPUT", TraceStepType.Policy, 9), Step("filter", "INPUT", TraceStepType.Rule, 1),
        ]));

        Assert.Equal(
            " TCPv4 [           0] src = 10.0.0.1 (port=40000) to dst = 10.0.0.2 (port=443) (-)\n"
            + "\t\t\t\ttable: filter, chain: INPUT, type: policy\n"
            + "\t\t\t\ttable: filter, chain: INPUT, type: rule, position: 1\n"
            + "\t\t\t\ttable: inet raw, chain: pre, type: rule, position: 1\n",
            text);
    }

    [Theory]
    [InlineData("a\nb,c(d)", "a_b_c_d_")]
    [InlineData("\u001B[31m", "_[31m")]
    [InlineData("\u2028\u202E\u200F\uFFFD", "____")]
    [InlineData("kworker/0:1 é漢", "kworker/0:1 é漢")]
    public void A_process_cannot_forge_a_line_or_steer_a_terminal_by_its_name(string name, string printed)
    {
        string text = WriteText(LogStyle.V3, Tcp("10.0.0.1", 1, "10.0.0.2", 2, process: new FlowProcess { Id = 7, Name = name, UserName = name }));

        Assert.EndsWith($" ({printed},pid:7,uid:{printed})\n", text, StringComparison.Ordinal);
    }

    [Fact]
    public void The_user_is_shown_by_name_else_by_number_else_as_a_dash()
    {
        static string Suffix(FlowProcess process) => WriteText(LogStyle.V3, Tcp("10.0.0.1", 1, "10.0.0.2", 2, process: process)).Split(" (")[^1];

        Assert.Equal("ssh,pid:5057,uid:root)\n", Suffix(s_ssh));
        Assert.Equal("x,pid:1,uid:1000)\n", Suffix(new FlowProcess { Id = 1, Name = "x", UserId = 1000 }));
        Assert.Equal("x,pid:1,uid:-)\n", Suffix(new FlowProcess { Id = 1, Name = "x" }));
    }

    [Fact]
    public void Equal_tuples_of_different_processes_stay_apart_in_a_fixed_order()
    {
        Flow a = Tcp("10.0.0.1", 1, "10.0.0.2", 2, process: new FlowProcess { Id = 1, Name = "a" });
        Flow b = Tcp("10.0.0.1", 1, "10.0.0.2", 2, process: new FlowProcess { Id = 2, Name = "b" });
        Flow none = Tcp("10.0.0.1", 1, "10.0.0.2", 2);

        string text = WriteText(LogStyle.V3, b, none, a, b, none, a);

        Assert.Equal(3, text.Count(character => character == '\n'));
        Assert.Equal(text, WriteText(LogStyle.V3, a, a, b, b, none, none));
    }

    [Theory]
    [InlineData("2001:0DB8:0:0:0:0:0:1", "2001:db8::1")]
    [InlineData("2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1")]
    [InlineData("2001:0:0:1:0:0:0:1", "2001:0:0:1::1")]
    [InlineData("2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1")]
    [InlineData("0:0:0:0:0:0:0:0", "::")]
    [InlineData("0:0:0:0:0:0:0:1", "::1")]
    [InlineData("1:0:0:0:0:0:0:0", "1::")]
    [InlineData("0:1:1:1:1:1:0:0", "0:1:1:1:1:1::")]
    [InlineData("::10.1.2.3", "::a01:203")]
    [InlineData("::ffff:10.1.2.255", "::ffff:10.1.2.255")]
    [InlineData("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff")]
    public void IPv6_addresses_are_written_as_RFC_5952_says(string address, string printed) =>
        Assert.Equal(
            $" TCPv6 [           0] src = {printed} (port=1) to dst = {printed} (port=2) (-)\n",
            WriteText(LogStyle.V3, Tcp(address, 1, address, 2)));

    [Fact]
    public void Every_IPv4_octet_is_written_with_its_own_digits()
    {
        for (int i = 0; i < 256; i++)
        {
            string address = $"{i}.{255 - i}.0.{i}";
            Assert.Contains($"src = {address} (port=1) to dst = {address} (port=65535)",
                WriteText(LogStyle.V3, Tcp(address, 1, address, 65535)), StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_long_log_is_counted_to_its_end()
    {
        TextLog log = new(LogStyle.V1);
        for (uint i = 0; i < 12_345; i++)
        {
            log.Add(new LogLine(new LogLineKind(FlowProtocol.Udp, FlowFamily.IPv4), i, 1, 53, 53), confirmed: false, process: null, trace: null);
        }

        log.Sort();
        using MemoryStream stream = new();
        log.WriteTo(stream);
        string[] lines = System.Text.Encoding.UTF8.GetString(stream.ToArray()).Split('\n');

        for (int i = 0; i < 12_345; i++)
        {
            Assert.StartsWith($" UDPv4 [{i,12}] src = ", lines[i], StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_flow_whose_address_is_not_of_its_family_is_refused()
    {
        Flow flow = new() { Protocol = FlowProtocol.Tcp, Family = FlowFamily.IPv4, SrcAddress = IPAddress.IPv6Loopback, DstAddress = IPAddress.Loopback };

        Assert.Throws<ArgumentException>(() => WriteText(LogStyle.V3, flow));
    }
}
