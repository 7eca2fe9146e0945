using Conntracker.Tests.Module.Support;
using Xunit;

namespace Conntracker.Tests.Module;

/// <summary>Format-ConntrackLog.</summary>
public sealed class FormatConntrackLogTests : ModuleTest
{
    public FormatConntrackLogTests() => Engine.Lines("$flows = Start-ConntrackCapture office -ReplayPath $office | Get-ConntrackFlow");

    [Fact]
    public void V3_has_ports_as_they_are_and_the_reply_tuple_of_NAT_as_a_line_of_its_own()
    {
        string[] lines =
        [
            " TCPv4 [           0] src = 10.1.0.2 (port=40003) to dst = 203.0.113.80 (port=8080) (-)",
            " TCPv4 [           1] src = 198.51.100.2 (port=80) to dst = 10.1.0.2 (port=40003) (-)",
            " UDPv4 [           0] src = 10.1.0.2 (port=41053) to dst = 198.51.100.2 (port=53) (-)",
            " UDPv4 [           1] src = 198.51.100.2 (port=53) to dst = 198.51.100.1 (port=41053) (-)",
        ];
        Assert.Equal(lines, Engine.Lines("$flows | Where-Object DstPort -in 8080, 53 | Format-ConntrackLog -Style V3"));
        Assert.Equal(lines, Engine.Lines("$flows | Where-Object DstPort -in 8080, 53 | Format-ConntrackLog"));
    }

    [Fact]
    public void V1_has_client_ports_as_1024_and_equal_lines_once()
    {
        Assert.Equal(
            [
                " TCPv4 [           0] src = 10.1.0.2 (port=1024) to dst = 198.51.100.2 (port=22) (confirmed)",
                " TCPv4 [           1] src = 10.1.0.3 (port=1024) to dst = 192.0.2.3 (port=443) (confirmed)",
                " UDPv4 [           0] src = 10.1.0.2 (port=1024) to dst = 198.51.100.2 (port=5353)",
                " TCPv6 [           0] src = 2001:db8:1::2 (port=1024) to dst = 2001:db8:2::2 (port=443) (confirmed)",
            ],
            Engine.Lines("$flows | Where-Object { $_.Protocol -in 'Tcp', 'Udp' -and $_.DstPort -in 22, 5353, 443 } | Format-ConntrackLog -Style V1"));
        Assert.Single(Engine.Lines("$flows[0], $flows[0] | Format-ConntrackLog -Style V1"));
        Assert.Equal(
            "ICMPv6 [           0] src = 2001:db8:1::2 to dst = 2001:db8:2::2 (type=128 | code=0) (confirmed)",
            Engine.Line("$flows | Where-Object Protocol -eq IcmpV6 | Format-ConntrackLog -Style V1"));
    }

    [Theory]
    [InlineData("V2", "                                ", ", position: 3")]
    [InlineData("V3", "\t\t\t\t", "")]
    public void The_steps_stand_below_the_flow(string style, string indent, string position)
    {
        Engine.Lines("$null = Start-ConntrackCapture firewall -ReplayPath $firewall");
        Assert.Equal(
            [
                $"{indent}table: inet firewall, chain: forward, type: policy{position}",
                $"{indent}table: inet firewall, chain: forward, type: rule, position: 2",
                $"{indent}table: inet firewall, chain: services, type: return, position: 4",
            ],
            Engine.Lines($"Get-ConntrackFlow firewall -DstPort 443 | Format-ConntrackLog -Style {style}")[1..]);
    }

    [Fact]
    public void V3_leaves_out_the_steps_of_raw_and_V1_all()
    {
        Engine.Lines("$old = Import-ConntrackLog \"$fixtures/v2.log\"");
        Assert.NotEmpty(Engine.Lines("($old | Format-ConntrackLog -Style V2) -match 'table: raw'"));
        Assert.Empty(Engine.Lines("($old | Format-ConntrackLog -Style V3) -match 'table: raw|policy, position'"));
        Assert.Empty(Engine.Lines("($old | Format-ConntrackLog -Style V1) -match 'table:'"));
        Assert.Equal(
            [" TCPv4 [           0] src = 10.1.0.2 (port=46666) to dst = 198.51.100.2 (port=22) (ssh,pid:5057,uid:root)",
                "\t\t\t\ttable: mangle, chain: OUTPUT, type: policy"],
            Engine.Lines("Import-ConntrackLog \"$fixtures/v3.log\" | Format-ConntrackLog")[..2]);
    }

    [Fact]
    public void Lines_are_numbered_within_their_label_from_0_in_the_logs_order()
    {
        string[] lines = Engine.Lines("$flows | Format-ConntrackLog -Style V1");
        Assert.Equal([" TCPv4", " UDPv4", "ICMPv4", " TCPv6", " UDPv6", "ICMPv6", " P89v4", "SCTPv4", "UDPLv4"], lines.Select(line => line[..6]).Distinct());
        foreach (IGrouping<string, string> label in lines.GroupBy(line => line[..6]))
        {
            Assert.Equal(Enumerable.Range(0, label.Count()), label.Select(line => int.Parse(line.AsSpan(8, 12), null)));
        }
    }

    [Theory]
    [InlineData("Format-ConntrackLog $flows")]
    [InlineData("Format-ConntrackLog -InputObject $flows")]
    public void Flows_may_be_given_by_parameter(string script) => Assert.Equal(Engine.Lines("$flows | Format-ConntrackLog"), Engine.Lines(script));

    [Theory]
    [InlineData("$flows | Format-ConntrackLog -Style V4", "CannotConvertArgumentNoMessage")]
    [InlineData("'text' | Format-ConntrackLog", "InputObjectNotBound")]
    public void What_is_no_generation_or_no_flow_is_refused(string script, string id) => Assert.Equal(id, Answer.IdOf(Engine.Fail(script)));
}
