using System.Text.RegularExpressions;
using Conntracker.Tests.Module.Support;
using Xunit;

namespace Conntracker.Tests.Module;

/// <summary>What PowerShell shows when nothing formats it: fits the screen, and nothing that matters is cut off.</summary>
public sealed class ViewTests : IDisposable
{
    // The longest that addresses and ports can be.
    private const string Long =
        """{"Protocol":"Tcp","Family":"IPv6","SrcAddress":"2001:db8:1111:2222:3333:4444:5555:6666","SrcPort":65535,""" +
        """ "DstAddress":"2001:db8:aaaa:bbbb:cccc:dddd:eeee:ffff","DstPort":65535,"State":"Assured","Direction":"Forward"}""" + "\n" +
        """{"Protocol":"IcmpV6","Family":"IPv6","SrcAddress":"fe80:1111:1111:2222:3333:4444:5555:6666",""" +
        """ "DstAddress":"ff02:1111:aaaa:bbbb:cccc:dddd:eeee:ffff","IcmpType":135,"IcmpCode":255}""";

    private readonly TempDirectory _folder = new();

    [Theory]
    [InlineData(80)]
    [InlineData(120)]
    public void A_flow_is_one_row_with_its_ends_state_and_direction(int width)
    {
        using Engine engine = Open(width);
        string[] lines = engine.Show("Start-ConntrackCapture office -ReplayPath $office | Get-ConntrackFlow");

        Assert.Matches("^Proto +Source +Destination +State +Dir$", lines[0]);
        Assert.Equal(2 + 15, lines.Length);
        Assert.All(lines, line => Assert.True(line.Length <= width, line));
        Assert.Single(lines, line => Regex.IsMatch(line, @"^Tcp +10\.1\.0\.2:40003 +203\.0\.113\.80:8080 +Assured +Forward$"));
        Assert.Single(lines, line => Regex.IsMatch(line, @"^Icmp +10\.1\.0\.1 +10\.1\.0\.2 8/0 +Replied +Out$"));
        Assert.Single(lines, line => Regex.IsMatch(line, @"^Udp +\[2001:db8:1::2\]:42000 +\[2001:db8:1::1\]:514 +New +In$"));
    }

    [Fact]
    public void What_a_process_calls_itself_cannot_steer_the_terminal()
    {
        using Engine engine = Open(120);
        string[] lines = engine.Show("""
            $hostile = "e$([char]27)]0;pwn$([char]7)$([char]155)2K$([char]13)$([char]0x202e)x"
            [Conntracker.FlowProcess] @{ Id = 7; Name = $hostile; CommandLine = $hostile; Path = $hostile; Cgroup = $hostile }
            "$([Conntracker.FlowProcess] @{ Id = 7; Name = $hostile })"
            """);
        Assert.Equal(4, lines.Count(line => Regex.IsMatch(line, "^(Name|CommandLine|Path|Cgroup) +: e_]0;pwn__2K__x$")));
        Assert.Contains("e_]0;pwn__2K__x (7)", lines);
        Assert.DoesNotContain(lines, line => Regex.IsMatch(line, @"[\p{Cc}\p{Cf}]"));
    }

    [Theory]
    [InlineData(0, "root", true)]
    [InlineData(1000, "alice", false)]
    public void The_real_user_of_a_process_is_shown_where_it_is_another_one(int id, string name, bool isShown)
    {
        using Engine engine = Open(120);
        string[] lines = engine.Show(
            $"[Conntracker.FlowProcess] @{{ Id = 7; Name = 'x'; UserId = 1000; UserName = 'alice'; RealUserId = {id}; RealUserName = '{name}' }}");
        Assert.Equal(isShown, lines.Any(line => Regex.IsMatch(line, $"^RealUserId +: {id}$")));
        Assert.Equal(isShown, lines.Any(line => Regex.IsMatch(line, $"^RealUserName +: {name}$")));
        Assert.Single(lines, line => Regex.IsMatch(line, "^UserName +: alice$"));
    }

    [Fact]
    public void In_80_columns_the_longest_addresses_are_continued_in_a_second_line()
    {
        using Engine engine = Open(80);
        File.WriteAllText(_folder.File("long.jsonl"), Long);
        string[] lines = engine.Show("Import-ConntrackLog $path");
        Assert.Equal(6, lines.Length);
        Assert.Equal("[2001:db8:1111:2222:3333:4444:5555:6666]:65535", Column(8) + Column(8, 3));
        Assert.Matches("^Tcp +.* Assured +Forward$", lines[2]);

        string Column(int from, int line = 2) => lines[line][from..(from + 27)].TrimEnd();
    }

    [Fact]
    public void In_120_columns_the_longest_addresses_are_not_cut_off()
    {
        using Engine engine = Open(120);
        File.WriteAllText(_folder.File("long.jsonl"), Long);
        string[] lines = engine.Show("Import-ConntrackLog $path");
        Assert.Equal(4, lines.Length);
        Assert.Contains("[2001:db8:1111:2222:3333:4444:5555:6666]:65535", lines[2], StringComparison.Ordinal);
        Assert.Contains("[2001:db8:aaaa:bbbb:cccc:dddd:eeee:ffff]:65535", lines[2], StringComparison.Ordinal);
        Assert.Contains("135/255", lines[3], StringComparison.Ordinal);
        Assert.DoesNotContain(lines, line => line.Contains('…', StringComparison.Ordinal) || line.Length > 120);
    }

    [Fact]
    public void A_far_end_that_is_the_internet_is_shown_as_that()
    {
        using Engine engine = Open(120);
        foreach (string entry in (string[])["out/tcp/192.168.0.5-PORT-INTERNET-443", "in/udp/INTERNET-PORT-192.168.0.5-53"])
        {
            string path = Path.Join(_folder.Path, "rules", entry);
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            File.WriteAllText(path, "");
        }

        string text = string.Join('\n', engine.Show("Import-ConntrackLog \"$folder/rules\""));
        Assert.Matches(@"192\.168\.0\.5 +INTERNET:443", text);
        Assert.Matches(@"INTERNET +192\.168\.0\.5:53", text);
    }

    [Fact]
    public void A_capture_is_one_row_of_120_columns_with_its_receipt_and_where_its_flows_come_from()
    {
        using Engine engine = Open(120);
        string[] lines = engine.Show("Start-ConntrackCapture office -PcapPath \"$fixtures/office.pcap\"; Start-ConntrackCapture again -ReplayPath $office");
        Assert.Equal(4, lines.Length);
        Assert.Matches("^ *Id Name +State +Duration +Flows +Events +Lost +Overruns +Repaired +Malformed Source$", lines[0]);
        Assert.Matches(@"^ *\d+ office +Stopped .* 7 +26 +0 +0 +0 +0 office\.pcap$", lines[2]);
        Assert.Matches(@"^ *\d+ again +Stopped .* 15 +41 +0 .* office\.ctrec$", lines[3]);
        Assert.All(lines, line => Assert.True(line.Length <= 120, line));
    }

    [Fact]
    public void In_80_columns_a_capture_keeps_its_name_state_and_counts()
    {
        using Engine engine = Open(80);
        string[] lines = engine.Show("Start-ConntrackCapture office -ReplayPath $office");
        Assert.Equal(3, lines.Length);
        Assert.Matches("^ *Id Name +State +Duration +Flows +Events +Lost$", lines[0]);
        Assert.Matches(@"^ *\d+ office +Stopped +\S+ +15 +41 +0$", lines[2]);
    }

    [Theory]
    [InlineData(80)]
    [InlineData(120)]
    public void A_trace_is_a_row_with_what_came_of_it(int width)
    {
        using TestNamespace host = new();
        using Engine engine = Open(width);
        engine.Lines($"$null = Start-ConntrackCapture live -NetworkNamespace {host.Name} -Trace Flows; " +
            "Enable-FlowTrace -Protocol Tcp -SrcAddress 2001:db8:1111:2222::/64 -DstPort 443, 8000-8999");
        string[] lines = engine.Show("Get-FlowTrace");

        Assert.Matches("^ *Id Capture +Active Until +Packets +Steps Target$", lines[0]);
        int target = lines[0].IndexOf("Target", StringComparison.Ordinal);
        Assert.Matches("^ +0 live +True +0 +0 each", lines[2]);
        int second = Array.FindIndex(lines, line => Regex.IsMatch(line, @"^ +1 live +True +\d{4}-\d\d-\d\d \d\d:\d\d:\d\d +0 +0 proto"));
        Assert.Equal("eachflow,for30s", Target(lines[2..second]));
        Assert.Equal("protocolTcp,from2001:db8:1111:2222::/64,toport443or8000-8999", Target(lines[second..]));
        Assert.All(lines, line => Assert.True(line.Length <= width, line));

        // What does not fit is continued below.
        string Target(string[] rows) =>
            string.Concat(rows.Select(row => row.Length > target ? row[target..].Trim() : "")).Replace(" ", "", StringComparison.Ordinal);
    }

    [Fact]
    public void A_flow_and_a_step_are_short_texts_of_their_own()
    {
        using Engine engine = Open(80);
        Assert.Equal(
            ["Tcp 10.1.0.2:40022 -> 198.51.100.2:22", "table: inet firewall, chain: forward, type: rule, position: 2"],
            engine.Lines("Start-ConntrackCapture -ReplayPath $firewall | Get-ConntrackFlow -DstPort 22 | ForEach-Object { \"$_\"; \"$($_.Trace[0])\" }"));
    }

    [Fact]
    public void An_error_is_shown_with_what_to_do()
    {
        using Engine engine = Open(120);
        Answer answer = engine.Run("& { Get-ConntrackFlow } 2>&1 | Out-Default");
        Assert.Contains("There is no capture. Start one with Start-ConntrackCapture", answer.Text, StringComparison.Ordinal);
    }

    public void Dispose() => _folder.Dispose();

    private Engine Open(int width)
    {
        Engine engine = new(width);
        engine.Set("folder", _folder.Path);
        engine.Set("path", _folder.File("long.jsonl"));
        return engine;
    }
}
