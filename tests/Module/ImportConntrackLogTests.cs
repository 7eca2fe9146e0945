using System.Management.Automation;
using System.Text;
using Conntracker.Tests.Module.Support;
using Xunit;

namespace Conntracker.Tests.Module;

/// <summary>Import-ConntrackLog.</summary>
public sealed class ImportConntrackLogTests : ModuleTest
{
    private const string FlowJson = """{"Protocol":"Tcp","Family":"IPv4","SrcAddress":"10.0.0.1","DstAddress":"10.0.0.2"}""";

    private readonly TempDirectory _folder = new();

    public ImportConntrackLogTests() => Engine.Set("folder", _folder.Path);

    [Fact]
    public void A_log_of_V1_has_flows_without_client_ports() => Assert.Equal(
        ["5", "Conntracker.Flow", "Tcp 1024 True Replied", "False New", "8 IPv6"],
        Engine.Lines("""
            $flows = Import-ConntrackLog "$fixtures/v1.log"
            $flows.Count
            $flows[0].GetType()
            "$($flows[0].Protocol) $($flows[0].SrcPort) $($flows[0].Confirmed) $($flows[0].State)"
            "$($flows[1].Confirmed) $($flows[1].State)"
            "$($flows[3].IcmpType) $($flows[4].Family)"
            """));

    [Fact]
    public void A_log_of_V2_has_the_rules() => Assert.Equal(
        ["2 3", "raw 3 Rule", "inet firewall Nftables"],
        Engine.Lines("""
            $flows = Import-ConntrackLog "$fixtures/v2.log"
            "$($flows.Count) $($flows[0].Trace.Count)"
            "$($flows[0].Trace[0].Table) $($flows[0].Trace[0].Position) $($flows[0].Trace[0].Type)"
            "$($flows[1].Trace[0].Family) $($flows[1].Trace[0].Table) $($flows[1].Trace[0].Engine)"
            """));

    [Fact]
    public void In_a_log_of_V3_a_line_and_its_mirror_are_one_flow_with_its_process() => Assert.Equal(
        ["3", "22 46666 True", "ssh 5057 root", "False True"],
        Engine.Lines("""
            $flows = Import-ConntrackLog "$fixtures/v3.log"
            $flows.Count
            "$($flows[0].DstPort) $($flows[0].ReplyDstPort) $($flows[0].Confirmed)"
            "$($flows[0].Process.Name) $($flows[0].Process.Id) $($flows[0].Process.UserName)"
            "$($flows[1].Confirmed) $($null -eq $flows[1].Process)"
            """));

    [Theory]
    [InlineData("v1-flows.log", "V1")]
    [InlineData("v2-tcpv4-only.log", "V2")]
    [InlineData("v2-trace.log", "V2")]
    [InlineData("v3-flows.log", "V3")]
    [InlineData("v3-trace.log", "V3")]
    [InlineData("v3-trace-process.log", "V3")]
    public void An_old_log_is_written_back_to_the_letter(string log, string style)
    {
        string path = Repository.PathOf($"tests/Unit/Fixtures/logs/{log}");
        Engine.Set("path", path);
        IEnumerable<string> lines = File.ReadLines(path)
            .Where(line => line.Contains("src = ", StringComparison.Ordinal) || line.Contains("table:", StringComparison.Ordinal));

        Assert.Equal(Sorted(lines), Sorted(Engine.Lines($"Import-ConntrackLog $path | Format-ConntrackLog -Style {style}")));

        // The numbers are those of the sorted log, whatever the old one counted.
        static string[] Sorted(IEnumerable<string> lines) =>
            [.. lines.Select(line => line.Contains('[', StringComparison.Ordinal) ? line.Remove(line.IndexOf('[', StringComparison.Ordinal), 14) : line)
                .Order(StringComparer.Ordinal)];
    }

    [Theory]
    [InlineData("Import-ConntrackLog \"$folder/v1.log\", \"$folder/v2.log\"", 7)]
    [InlineData("Import-ConntrackLog \"$folder/v?.log\"", 7)]
    [InlineData("\"$folder/v1.log\" | Import-ConntrackLog", 5)]
    [InlineData("$null = $ExecutionContext.SessionState.Path.SetLocation($folder); Import-ConntrackLog ./v*.log", 7)]
    [InlineData("Import-ConntrackLog -LiteralPath \"$folder/a[1].log\"", 5)]
    [InlineData("[pscustomobject]@{ FullName = \"$folder/a[1].log\" } | Import-ConntrackLog", 5)]
    [InlineData("[System.IO.DirectoryInfo]::new($folder).GetFiles('a*.log') | Import-ConntrackLog", 5)]
    [InlineData("Import-ConntrackLog \"$folder/none*.log\"", 0)]
    [InlineData("Import-ConntrackLog \"$folder/empty.log\"", 0)]
    public void It_takes_paths_wildcards_and_files(string script, int count)
    {
        File.Copy(Path.Join(Repository.Fixtures, "v1.log"), _folder.File("v1.log"));
        File.Copy(Path.Join(Repository.Fixtures, "v2.log"), _folder.File("v2.log"));
        File.Copy(Path.Join(Repository.Fixtures, "v1.log"), _folder.File("a[1].log"));
        File.WriteAllText(_folder.File("empty.log"), "");

        Assert.Equal(count, Engine.Objects(script).Count);
    }

    [Fact]
    public void It_goes_on_behind_a_line_that_it_cannot_read_and_says_which()
    {
        string[] lines = File.ReadAllLines(Path.Join(Repository.Fixtures, "v1.log"));
        File.WriteAllLines(_folder.File("bad.log"), [lines[0], " TCPv4 [ damaged", lines[1], "nonsense", lines[2]]);

        Answer answer = Engine.Run("Import-ConntrackLog \"$folder/bad.log\"");

        Assert.Equal(3, answer.Output.Count);
        Assert.Equal(["LogLineInvalid", "LogLineInvalid"], answer.ErrorIds);
        Assert.Equal((ErrorCategory.InvalidData, _folder.File("bad.log")), (answer.Errors[0].CategoryInfo.Category, answer.Errors[0].TargetObject));
        Assert.Contains("Line 2: ", answer.Errors[0].ToString(), StringComparison.Ordinal);
        Assert.Contains("Line 4: ", answer.Errors[1].ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(FlowJson + "\n{\"Protocol\":\n" + FlowJson)]
    [InlineData("[" + FlowJson + ",\n{\"Protocol\":\"nonsense\"},\n" + FlowJson + "]")]
    [InlineData("Protocol,Family,SrcAddress,DstAddress\nTcp,IPv4,10.0.0.1,10.0.0.2\nTcp,IPv4,10.0.0.300,10.0.0.2\nTcp,IPv4,10.0.0.1,10.0.0.2")]
    public void It_goes_on_behind_what_it_cannot_read_in_any_format(string text)
    {
        File.WriteAllText(_folder.File("flows.txt"), text);
        Answer answer = Engine.Run("Import-ConntrackLog \"$folder/flows.txt\"");
        Assert.Equal((2, "LogLineInvalid"), (answer.Output.Count, Assert.Single(answer.ErrorIds)));
    }

    [Theory]
    [InlineData("Import-ConntrackLog \"$folder/none.log\"")]
    [InlineData("Import-ConntrackLog -LiteralPath \"$folder/none.log\"")]
    [InlineData("Import-ConntrackLog $folder")]
    [InlineData("Import-ConntrackLog $folder -Format Json")]
    [InlineData("Import-ConntrackLog $office -Format Tree")]
    [InlineData("Import-ConntrackLog -LiteralPath \"$folder/none\" -Format Tree")]
    public void A_file_that_is_not_there_or_is_a_folder_is_an_error(string script) => Engine.Fail(script, "LogNotFound", ErrorCategory.ObjectNotFound);

    [Fact]
    public void The_files_behind_one_that_is_not_there_are_read() =>
        Assert.Equal(5, Engine.Run("Import-ConntrackLog \"$folder/none.log\", \"$fixtures/v1.log\"").Output.Count);

    [Fact]
    public void A_file_that_may_not_be_read_is_a_privilege_that_is_missing()
    {
        File.WriteAllText(_folder.File("closed.log"), "");
        File.SetUnixFileMode(_folder.File("closed.log"), UnixFileMode.None);
        ToolResult result = OtherPowerShell.RunUnprivileged(
            $"try {{ Import-ConntrackLog '{_folder.File("closed.log")}' }} catch {{ $_.FullyQualifiedErrorId; \"$($_.CategoryInfo.Category)\" }}");
        Assert.Equal(["ConntrackPermissionDenied,Conntracker.PowerShell.Commands.ImportConntrackLogCommand", "PermissionDenied"], result.Lines);
    }

    [Fact]
    public void Flows_leave_one_by_one_whatever_stands_below()
    {
        File.WriteAllLines(_folder.File("long.jsonl"), [FlowJson, "{\"damaged"]);
        Assert.Single(Engine.Objects("foreach ($once in 1) { Import-ConntrackLog \"$folder/long.jsonl\" -ErrorAction Stop | ForEach-Object { $_; break } }"));
    }

    [Fact]
    public void The_content_says_which_format_it_is_unless_the_user_does()
    {
        File.WriteAllText(_folder.File("flows.txt"), FlowJson);
        Assert.Single(Engine.Objects("Import-ConntrackLog \"$folder/flows.txt\""));
        Engine.Fail("Import-ConntrackLog \"$folder/flows.txt\" -Format Text", "LogLineInvalid", ErrorCategory.InvalidData);
        Assert.Equal("CannotConvertArgumentNoMessage", Answer.IdOf(Engine.Fail("Import-ConntrackLog \"$folder/flows.txt\" -Format Xml")));
    }

    [Fact]
    public void A_file_in_UTF_16_is_named_as_that()
    {
        File.WriteAllText(_folder.File("wide.log"), "TCPv4", Encoding.Unicode);
        Assert.Contains("UTF-16", Engine.Fail("Import-ConntrackLog \"$folder/wide.log\"").ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Import-ConntrackLog \"$folder/rules\"")]
    [InlineData("Import-ConntrackLog \"$folder/rules\" -Format Tree")]
    [InlineData("Import-ConntrackLog -LiteralPath \"$folder/rules\"")]
    [InlineData("[System.IO.DirectoryInfo] \"$folder/rules\" | Import-ConntrackLog")]
    public void Each_entry_of_a_tree_is_a_flow(string script)
    {
        MakeTree("in/tcp/INTERNET-PORT-192.0.2.1-22", "out/icmpv6/2001:db8::1-128-INTERNET-0",
            "else/gre/10.0.0.1-10.0.0.2", "else/udp/10.0.0.0_24-PORT-10.0.1.0_24-53");
        Assert.Equal(
            [
                "In Tcp 0.0.0.0/ 192.0.2.1/22 Internet", "Out IcmpV6 2001:db8::1/ ::/ Internet",
                "Unknown Gre 10.0.0.1/ 10.0.0.2/ None", "Unknown Udp 10.0.0.0/ 10.0.1.0/53 Subnet",
            ],
            Engine.Lines($"{script} | ForEach-Object {{ \"$($_.Direction) $($_.Protocol) $($_.SrcAddress)/$($_.SrcPort) $($_.DstAddress)/$($_.DstPort) " +
                $"$($_.Folding)\" }}").OrderBy(line => line[0] == 'I' ? 0 : line[0] == 'O' ? 1 : 2).ThenBy(line => line));
    }

    [Fact]
    public void A_name_in_a_tree_that_is_no_entry_is_an_error_and_the_others_are_read()
    {
        MakeTree("in/tcp/INTERNET-PORT-192.0.2.1-22", "in/tcp/nonsense", "notes");
        Answer answer = Engine.Run("Import-ConntrackLog \"$folder/rules\"");
        Assert.Single(answer.Output);
        Assert.Equal(["LogLineInvalid", "LogLineInvalid"], answer.ErrorIds);
        Assert.Contains("in/tcp/nonsense", string.Join('\n', answer.Errors), StringComparison.Ordinal);
    }

    [Fact]
    public void An_empty_folder_is_an_empty_tree_when_the_user_says_so()
    {
        Directory.CreateDirectory(_folder.File("empty"));
        Assert.Empty(Engine.Lines("Import-ConntrackLog \"$folder/empty\" -Format Tree"));
    }

    protected override void Dispose(bool disposing)
    {
        base.Dispose(disposing);
        if (disposing)
        {
            _folder.Dispose();
        }
    }

    private void MakeTree(params string[] entries)
    {
        foreach (string entry in entries)
        {
            string path = Path.Join(_folder.Path, "rules", entry);
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            File.WriteAllText(path, "");
        }
    }
}
