using System.Management.Automation;
using Conntracker.Tests.Module.Support;
using Xunit;

namespace Conntracker.Tests.Module;

/// <summary>Export-ConntrackLog -Format Tree.</summary>
public sealed class ExportTreeTests : ModuleTest
{
    private readonly TempDirectory _folder = new();
    private readonly string _path;

    public ExportTreeTests()
    {
        _path = _folder.File("rules");
        Engine.Set("folder", _folder.Path);
        Engine.Set("path", _path);
        File.WriteAllText(_folder.File("mixed.csv"), """
            Direction,Protocol,Family,SrcAddress,SrcPort,DstAddress,DstPort,IcmpType,IcmpCode
            Out,Tcp,IPv4,192.168.200.230,50001,8.8.8.8,443,,
            Out,Tcp,IPv4,192.168.200.230,50002,9.9.9.9,443,,
            In,Tcp,IPv6,2a00::1,50003,2001:db8::1,22,,
            In,Icmp,IPv4,8.8.8.8,,9.9.9.9,,8,0
            Forward,Udp,IPv4,192.168.200.214,5353,224.0.0.251,5353,,

            """);
        Engine.Lines("$mixed = Import-ConntrackLog \"$folder/mixed.csv\"");
    }

    [Fact]
    public void Each_entry_is_an_empty_file_and_what_is_there_stays()
    {
        string[] entries = ["else/udp/192.168.200.214-5353-224.0.0.251-5353", "in/icmp/INTERNET-8-9.9.9.9-0",
            "in/tcp/INTERNET-PORT-2001:db8::1-22", "out/tcp/192.168.200.230-PORT-INTERNET-443"];
        Assert.Empty(Engine.Lines("$mixed | Export-ConntrackLog $path -Format Tree"));
        Assert.Equal(entries, Entries());
        Assert.All(entries, entry => Assert.Equal(0, new FileInfo(Path.Join(_path, entry)).Length));

        File.WriteAllText(Path.Join(_path, entries[1]), "a note");
        Engine.Lines("$mixed | Export-ConntrackLog $path -Format Tree");
        Assert.Equal(entries, Entries());
        Assert.Equal("a note", File.ReadAllText(Path.Join(_path, entries[1])));
    }

    [Fact]
    public void A_tree_that_is_read_is_written_again_alike()
    {
        Engine.Lines("Start-ConntrackCapture -ReplayPath $office | Get-ConntrackFlow | Export-ConntrackLog $path -Format Tree");
        string[] entries = Entries();
        Assert.True(entries.Length > 10);
        Engine.Lines("Import-ConntrackLog $path | Export-ConntrackLog \"$path.again\" -Format Tree");
        Assert.Equal(entries, Entries($"{_path}.again"));
    }

    [Theory]
    [InlineData("None", "in/tcp/2a00::1-PORT-2001:db8::1-22", "out/tcp/192.168.200.230-PORT-8.8.8.8-443", "out/tcp/192.168.200.230-PORT-9.9.9.9-443")]
    [InlineData("In", "in/tcp/INTERNET-PORT-2001:db8::1-22", "out/tcp/192.168.200.230-PORT-8.8.8.8-443", "out/tcp/192.168.200.230-PORT-9.9.9.9-443")]
    [InlineData("Out", "in/tcp/2a00::1-PORT-2001:db8::1-22", "out/tcp/192.168.200.230-PORT-INTERNET-443")]
    [InlineData("Both", "in/tcp/INTERNET-PORT-2001:db8::1-22", "out/tcp/192.168.200.230-PORT-INTERNET-443")]
    public void FoldInternet_folds_those_flows_and_no_others(string value, params string[] entries)
    {
        Engine.Lines($"$mixed | Where-Object Protocol -eq Tcp | Export-ConntrackLog $path -Format Tree -FoldInternet {value}");
        Assert.Equal(entries, Entries());
    }

    [Fact]
    public void SkipElse_leaves_out_what_neither_comes_in_nor_goes_out()
    {
        Engine.Lines("$mixed | Export-ConntrackLog $path -Format Tree -SkipElse");
        Assert.Equal(["in", "out"], Directory.GetDirectories(_path).Select(Path.GetFileName).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void MaximumFlows_is_kept_with_a_warning_that_counts_what_was_folded()
    {
        File.WriteAllLines(_folder.File("many.csv"), Enumerable.Range(1, 300)
            .Select(i => $"Forward,Tcp,IPv4,10.0.0.{i % 250},{i},10.0.1.1,80").Prepend("Direction,Protocol,Family,SrcAddress,SrcPort,DstAddress,DstPort"));

        Answer answer = Engine.Run("Import-ConntrackLog \"$folder/many.csv\" | Export-ConntrackLog $path -Format Tree -MaximumFlows 100");

        Assert.Empty(answer.Errors);
        Assert.Matches(@"-MaximumFlows.*: \d+ (entries of unanswered flows )?were folded into subnets", Assert.Single(answer.Warnings));
        Assert.True(Entries().Length <= 100);
        Assert.Contains("else/tcp/10.0.0.0_24-PORT-10.0.1.0_24-80", Entries());
    }

    [Fact]
    public void PassThru_emits_the_folder_WhatIf_makes_none_and_NoClobber_adds_to_none()
    {
        Engine.Lines("$mixed | Export-ConntrackLog $path -Format Tree -WhatIf");
        Assert.False(Directory.Exists(_path));
        Assert.Equal(_path,
            ((DirectoryInfo)Assert.Single(Engine.Objects("$mixed | Export-ConntrackLog $path -Format Tree -NoClobber -PassThru")).BaseObject).FullName);
        Engine.Fail("$mixed | Export-ConntrackLog $path -Format Tree -NoClobber", "LogExists", ErrorCategory.ResourceExists);
    }

    [Theory]
    [InlineData("\"$folder/mixed.csv\"", "LogTargetNotFolder", ErrorCategory.InvalidArgument)]
    [InlineData("\"$folder/none/tree\"", "LogFolderNotFound", ErrorCategory.ObjectNotFound)]
    [InlineData("\"$folder/link\"", "LogTargetIsLink", ErrorCategory.SecurityError)]
    [InlineData("$path -MaximumFlows 0", "ParameterArgumentValidationError", ErrorCategory.InvalidData)]
    public void What_cannot_be_a_tree_is_an_error(string parameters, string id, ErrorCategory category)
    {
        Directory.CreateDirectory(_folder.File("real"));
        Directory.CreateSymbolicLink(_folder.File("link"), _folder.File("real"));
        Engine.Fail($"$mixed | Export-ConntrackLog {parameters} -Format Tree", id, category);
        Assert.Empty(Directory.GetFileSystemEntries(_folder.File("real")));
    }

    [Fact]
    public void Where_the_file_system_has_few_inodes_left_nothing_is_made()
    {
        TestNamespace.NeedRoot();
        ToolResult result = OtherPowerShell.Run(
            ["unshare", "--mount", "sh", "-c", "mount -t tmpfs -o nr_inodes=600 none \"$0\" && exec \"$@\"", _folder.Path],
            $$"""
            $flows = Start-ConntrackCapture -ReplayPath '{{Repository.Fixtures}}/office.ctrec' | Get-ConntrackFlow
            try { $flows | Export-ConntrackLog '{{_path}}' -Format Tree } catch { $_.FullyQualifiedErrorId; "$_" }
            @([IO.Directory]::GetFiles('{{_path}}', '*', 'AllDirectories')).Count -gt 0
            """);
        Assert.Equal(("LogNoSpace,Conntracker.PowerShell.Commands.ExportConntrackLogCommand", "False"), (result.Lines[0], result.Lines[^1]));
        Assert.Contains("inode", result.Lines[1], StringComparison.Ordinal);
    }

    protected override void Dispose(bool disposing)
    {
        base.Dispose(disposing);
        if (disposing)
        {
            _folder.Dispose();
        }
    }

    private string[] Entries(string? path = null) =>
        [.. Directory.GetFiles(path ?? _path, "*", SearchOption.AllDirectories)
            .Select(file => Path.GetRelativePath(path ?? _path, file)).Order(StringComparer.Ordinal)];
}
