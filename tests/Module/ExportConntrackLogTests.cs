using System.Management.Automation;
using System.Text.Json;
using Conntracker.Tests.Module.Support;
using Xunit;

namespace Conntracker.Tests.Module;

/// <summary>Export-ConntrackLog to files.</summary>
public sealed class ExportConntrackLogTests : ModuleTest
{
    private readonly TempDirectory _folder = new();
    private readonly string _path;

    public ExportConntrackLogTests()
    {
        _path = _folder.File("flows.log");
        Engine.Set("folder", _folder.Path);
        Engine.Set("path", _path);
        Engine.Lines("$flows = Start-ConntrackCapture office -ReplayPath $office | Get-ConntrackFlow");
    }

    [Theory]
    [InlineData("Json")]
    [InlineData("JsonLines")]
    [InlineData("Csv")]
    public void Structured_formats_keep_every_property_with_process_and_rules(string format)
    {
        Engine.Lines("$all = $flows + @(Import-ConntrackLog \"$fixtures/v3.log\") + @(Import-ConntrackLog \"$fixtures/v2.log\") + @(Start-ConntrackCapture " +
            "-ReplayPath $firewall | Get-ConntrackFlow)");
        string[] flows = FlowText.Of(Engine.Objects("$all"));

        Assert.Empty(Engine.Lines($"$all | Export-ConntrackLog $path -Format {format}"));

        Assert.Equal(flows, FlowText.Of(Engine.Objects("Import-ConntrackLog $path")));
        Assert.Equal(flows, FlowText.Of(Engine.Objects($"Import-ConntrackLog $path -Format {format}")));
        Assert.Equal("9", Engine.Line("$most = 0; (Import-ConntrackLog $path).Trace.Packets | ForEach-Object { $most = [Math]::Max($most, [int] $_) }; $most"));
    }

    [Theory]
    [InlineData("-Style V1", "V1")]
    [InlineData("-Style V2", "V2")]
    [InlineData("-Style V3", "V3")]
    [InlineData("", "V3")]
    public void A_text_log_reads_and_writes_back_to_the_letter(string parameters, string style)
    {
        Engine.Lines($"$flows | Export-ConntrackLog $path {parameters}");

        Assert.Equal(Engine.Lines($"$flows | Format-ConntrackLog -Style {style}"), File.ReadAllLines(_path));
        Engine.Lines($"Import-ConntrackLog $path | Export-ConntrackLog \"$path.again\" {parameters}");
        Assert.Equal(File.ReadAllText(_path), File.ReadAllText($"{_path}.again"));
    }

    [Fact]
    public void Other_programs_read_its_JSON_and_CSV_by_the_properties_names()
    {
        Engine.Lines("$flows | Export-ConntrackLog $path -Format Json; $flows | Export-ConntrackLog \"$path.csv\" -Format Csv");
        using JsonDocument json = JsonDocument.Parse(File.ReadAllText(_path));
        Assert.Equal((15, "198.51.100.2", "Assured"),
            (json.RootElement.GetArrayLength(), json.RootElement[2].GetProperty("ReplySrcAddress").GetString(),
            json.RootElement[2].GetProperty("State").GetString()));
        Assert.Equal(string.Join(',', Engine.Lines("[Conntracker.Flow].GetProperties().Name")), File.ReadLines($"{_path}.csv").First());
    }

    [Fact]
    public void PassThru_emits_the_file_that_only_its_owner_can_read()
    {
        Assert.Equal(_path, ((FileInfo)Assert.Single(Engine.Objects("$flows | Export-ConntrackLog $path -PassThru")).BaseObject).FullName);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(_path));
    }

    [Fact]
    public void Flows_may_be_given_by_parameter_and_the_path_is_where_the_user_is()
    {
        Engine.Lines("$null = $ExecutionContext.SessionState.Path.SetLocation($folder); Export-ConntrackLog -Path ./here.log -InputObject $flows");
        Assert.Equal(Engine.Lines("$flows | Format-ConntrackLog"), File.ReadAllLines(_folder.File("here.log")));
    }

    [Theory]
    [InlineData("", "")]
    [InlineData("-Format Json", "[]")]
    public void No_flows_are_an_empty_log_that_replaces_the_old_one(string parameters, string text)
    {
        File.WriteAllText(_path, "old");
        Engine.Lines($"@() | Export-ConntrackLog $path {parameters}");
        Assert.Equal(text, string.Concat(File.ReadAllText(_path).Where(letter => !char.IsWhiteSpace(letter))));
    }

    [Fact]
    public void WhatIf_writes_nothing()
    {
        File.WriteAllText(_path, "old");
        Assert.Equal([$"What if: Performing the operation \"Write flows as Text\" on target \"{_path}\"."],
            Engine.Show("$flows | Export-ConntrackLog $path -WhatIf"));
        Engine.Lines("$flows | Export-ConntrackLog \"$folder/other\" -WhatIf");
        AssertOld();
    }

    [Fact]
    public void NoClobber_keeps_a_file_that_is_there_and_writes_a_new_one()
    {
        File.WriteAllText(_path, "old");
        Engine.Fail("$flows | Export-ConntrackLog $path -NoClobber", "LogExists", ErrorCategory.ResourceExists);
        AssertOld();
        Engine.Lines("$flows | Export-ConntrackLog \"$path.new\" -NoClobber");
        Assert.Equal(Engine.Lines("$flows | Format-ConntrackLog"), File.ReadAllLines($"{_path}.new"));
    }

    [Fact]
    public void It_follows_no_link()
    {
        File.WriteAllText(_folder.File("real"), "old");
        File.CreateSymbolicLink(_path, _folder.File("real"));
        Engine.Fail("$flows | Export-ConntrackLog $path", "LogTargetIsLink", ErrorCategory.SecurityError);
        Assert.Equal("old", File.ReadAllText(_folder.File("real")));
    }

    [Theory]
    [InlineData("\"$folder/none/flows.log\"", "LogFolderNotFound", ErrorCategory.ObjectNotFound)]
    [InlineData("$folder", "LogTargetNotRegular", ErrorCategory.InvalidArgument)]
    [InlineData("''", "ParameterArgumentValidationError", ErrorCategory.InvalidData)]
    [InlineData("$path -Format Xml", "CannotConvertArgumentNoMessage", ErrorCategory.InvalidArgument)]
    [InlineData("$path -SkipElse", "ConntrackArgumentInvalid", ErrorCategory.InvalidArgument)]
    [InlineData("$path -FoldInternet In", "ConntrackArgumentInvalid", ErrorCategory.InvalidArgument)]
    [InlineData("$path -Format Json -MaximumFlows 5", "ConntrackArgumentInvalid", ErrorCategory.InvalidArgument)]
    public void What_cannot_be_written_is_an_error(string parameters, string id, ErrorCategory category)
    {
        File.WriteAllText(_path, "old");
        Engine.Fail($"$flows | Export-ConntrackLog {parameters}", id, category);
        AssertOld();
    }

    [Fact]
    public void The_old_file_stays_when_a_flow_cannot_be_had()
    {
        File.WriteAllText(_path, "old");
        Assert.Equal("the source failed", Engine.Fail("& { $flows[0]; throw 'the source failed' } | Export-ConntrackLog $path").ToString());
        AssertOld();
    }

    [Fact]
    public void The_old_file_stays_when_the_user_presses_Ctrl_C()
    {
        File.WriteAllText(_path, "old");
        using ManualResetEventSlim isWriting = new();
        Engine.Set("isWriting", isWriting);
        using RunningScript export =
            Engine.Start("& { $flows[0]; $isWriting.Set(); while ($true) { [Threading.Thread]::Sleep(10) } } | Export-ConntrackLog $path");
        Eventually.True("a flow that is written", () => isWriting.IsSet);

        export.Stop();

        AssertOld();
    }

    [Fact]
    public void It_does_not_touch_a_file_of_another_owner()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "Needs root: only root can make a file of another owner.");
        File.WriteAllText(_path, "old");
        Tool.Run("chown", "65534", _path);
        Engine.Fail("$flows | Export-ConntrackLog $path", "LogForeignOwner", ErrorCategory.SecurityError);
        AssertOld();
    }

    [Fact]
    public void A_folder_that_may_not_be_written_to_is_a_privilege_that_is_missing()
    {
        File.SetUnixFileMode(_folder.Path, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        ToolResult result = OtherPowerShell.RunUnprivileged($"try {{ Import-ConntrackLog '{Repository.Fixtures}/v1.log' | " +
            $"Export-ConntrackLog '{_path}' }} catch {{ $_.FullyQualifiedErrorId; \"$($_.CategoryInfo.Category)\" }}");
        File.SetUnixFileMode(_folder.Path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        Assert.Equal(["ConntrackPermissionDenied,Conntracker.PowerShell.Commands.ExportConntrackLogCommand", "PermissionDenied"], result.Lines);
    }

    [Fact]
    public void On_a_full_disk_the_old_file_stays()
    {
        TestNamespace.NeedRoot();
        ToolResult result = OtherPowerShell.Run(
            ["unshare", "--mount", "sh", "-c", "mount -t tmpfs -o size=4k none \"$0\" && exec \"$@\"", _folder.Path],
            $$"""
            [IO.File]::WriteAllText('{{_path}}', 'old')
            $flows = Start-ConntrackCapture -ReplayPath '{{Repository.Fixtures}}/office.ctrec' | Get-ConntrackFlow
            try { $flows | Export-ConntrackLog '{{_path}}' -Format Json } catch { $_.FullyQualifiedErrorId; "$($_.CategoryInfo.Category)" }
            [IO.File]::ReadAllText('{{_path}}')
            [IO.Directory]::GetFiles('{{_folder.Path}}').Count
            """);
        Assert.Equal(["LogNoSpace,Conntracker.PowerShell.Commands.ExportConntrackLogCommand", "LimitsExceeded", "old", "1"], result.Lines);
    }

    protected override void Dispose(bool disposing)
    {
        base.Dispose(disposing);
        if (disposing)
        {
            _folder.Dispose();
        }
    }

    private void AssertOld()
    {
        Assert.Equal("old", File.ReadAllText(_path));
        Assert.Equal([_path], Directory.GetFiles(_folder.Path));
    }
}
