using System.Management.Automation;
using Conntracker.Tests.Module.Support;
using Xunit;

namespace Conntracker.Tests.Module;

/// <summary>Start-ConntrackCapture with recordings, and what it refuses.</summary>
public sealed class StartConntrackCaptureTests : ModuleTest
{
    private readonly TempDirectory _folder = new();

    public StartConntrackCaptureTests() => Engine.Set("folder", _folder.Path);

    [Fact]
    public void It_replays_a_recording_to_its_end_and_emits_the_capture()
    {
        PSObject capture = Assert.Single(Engine.Objects("Start-ConntrackCapture -Name office -ReplayPath $office"));

        Assert.Equal("Conntracker.Capture", capture.TypeNames[0]);
        Engine.Set("capture", capture);
        Assert.Equal(
            ["office", "Stopped", "15", "0", "", Path.Join(Repository.Fixtures, "office.ctrec")],
            Engine.Lines("$capture | ForEach-Object { $_.Name; $_.State; $_.FlowCount; $_.Malformed; \"$($_.Error)\"; $_.Options.ReplayPath }"));
    }

    [Fact]
    public void It_makes_a_name_when_none_is_given_and_another_each_time()
    {
        Answer answer = Engine.Run("1, 2 | ForEach-Object { Start-ConntrackCapture -ReplayPath $office } | ForEach-Object Name");

        Assert.All(answer.Lines, name => Assert.Matches(@"^Capture\d+$", name));
        Assert.Equal(2, answer.Lines.Distinct().Count());
    }

    [Theory]
    [InlineData("[pscustomobject]@{ ReplayPath = $office } | Start-ConntrackCapture")]
    [InlineData("[pscustomobject]@{ FullName = $office } | Start-ConntrackCapture")]
    [InlineData("[System.IO.FileInfo] $office | Start-ConntrackCapture")]
    [InlineData("$null = $ExecutionContext.SessionState.Path.SetLocation($fixtures); Start-ConntrackCapture -ReplayPath ./office.ctrec")]
    [InlineData("Start-ConntrackCapture -Name here -ReplayPath $office -MaximumFlows 2048")]
    public void It_takes_a_recording_as_it_comes(string script) => Assert.Equal("15", Engine.Line($"{script} | ForEach-Object FlowCount"));

    [Fact]
    public void It_keeps_the_protocols_that_are_wanted_by_name_and_number() =>
        Assert.Equal(["132", "89"],
            Engine.Lines("Start-ConntrackCapture -ReplayPath $office -Protocol Sctp, 89 | Get-ConntrackFlow | ForEach-Object { [int] $_.Protocol }").Order());

    [Fact]
    public void Its_options_hold_what_was_asked_for_and_the_defaults()
    {
        Assert.Equal("2048", Engine.Line("(Start-ConntrackCapture -ReplayPath $office -MaximumFlows 2048).Options.MaximumFlows"));
        Assert.Equal(["1000000", $"{64 << 20}", "False"],
            Engine.Lines("$o = (Start-ConntrackCapture -ReplayPath $office).Options; $o.MaximumFlows; $o.BufferSize; $o.Accounting"));
    }

    [Theory]
    [InlineData("-ReplayPath $office", "\"Replay\" on target \"Recording {office}\"")]
    [InlineData("-RecordPath \"$folder/no.ctrec\"", "\"Capture flows\" on target \"Network namespace of this process\"")]
    [InlineData("-NetworkNamespace blue", "\"Capture flows\" on target \"Network namespace blue\"")]
    [InlineData("-Source Packet", "\"Capture packets\" on target \"Interface any of network namespace of this process\"")]
    [InlineData("-Interface eth0 -NetworkNamespace blue", "\"Capture packets\" on target \"Interface eth0 of network namespace blue\"")]
    [InlineData("-PcapPath /some/office.pcap", "\"Read packets\" on target \"Capture file /some/office.pcap\"")]
    [InlineData("-Source Packet -PcapPath '/some/a[1]*.pcap'", "\"Read packets\" on target \"Capture file /some/a[1]*.pcap\"")]
    public void WhatIf_says_what_it_would_do_and_does_nothing(string parameters, string says)
    {
        Assert.Equal(
            [$"What if: Performing the operation {says.Replace("{office}", Path.Join(Repository.Fixtures, "office.ctrec"), StringComparison.Ordinal)}."],
            Engine.Show($"Start-ConntrackCapture {parameters} -WhatIf"));
        Assert.Equal("0", Engine.Line("@(Get-ConntrackCapture).Count"));
        Assert.Empty(Directory.GetFiles(_folder.Path));
    }

    [Theory]
    [InlineData("this is not a recording at all")]
    [InlineData("")]
    public void What_is_no_recording_is_refused(string text)
    {
        File.WriteAllText(_folder.File("bad.ctrec"), text);
        Refuses("-ReplayPath \"$folder/bad.ctrec\"", "RecordingInvalid", ErrorCategory.InvalidData);
    }

    [Theory]
    [InlineData(0.0)]
    [InlineData(0.5)]
    public void A_recording_of_another_version_or_with_damage_is_refused(double where)
    {
        const int Version = 8;
        byte[] bytes = File.ReadAllBytes(Path.Join(Repository.Fixtures, "office.ctrec"));
        bytes[Math.Max(Version, (int)(bytes.Length * where))] ^= 0xff;
        File.WriteAllBytes(_folder.File("bad.ctrec"), bytes);

        Refuses("-ReplayPath \"$folder/bad.ctrec\"", "RecordingInvalid", ErrorCategory.InvalidData);
    }

    [Fact]
    public void A_recording_that_was_cut_off_is_replayed_up_to_there_with_a_warning()
    {
        byte[] bytes = File.ReadAllBytes(Path.Join(Repository.Fixtures, "office.ctrec"));
        File.WriteAllBytes(_folder.File("cut.ctrec"), bytes[..^30]);

        Answer answer = Engine.Run("$capture = Start-ConntrackCapture -ReplayPath \"$folder/cut.ctrec\"; $capture.FlowCount; $capture.Notices");

        Assert.Empty(answer.Errors);
        Assert.Contains("is truncated", Assert.Single(answer.Warnings), StringComparison.Ordinal);
        Assert.Equal(["15", answer.Warnings[0]], answer.Lines);
    }

    [Fact]
    public void A_name_that_is_in_use_is_refused_whatever_its_case()
    {
        Engine.Lines("$null = Start-ConntrackCapture office -ReplayPath $office");
        Engine.Fail("Start-ConntrackCapture OFFICE -ReplayPath $office", "CaptureExists", ErrorCategory.ResourceExists);
        Assert.Equal("1", Engine.Line("@(Get-ConntrackCapture).Count"));
    }

    [Theory]
    [InlineData("-MaximumFlows 1023", "ParameterArgumentValidationError")]
    [InlineData("-MaximumFlows 100000001", "ParameterArgumentValidationError")]
    [InlineData("-BufferSize 4095", "ParameterArgumentValidationError")]
    [InlineData("-Name ''", "ParameterArgumentValidationError")]
    [InlineData("-Duration soon", "ParameterArgumentTransformationError")]
    [InlineData("-Protocol carrier-pigeon", "CannotConvertArgumentNoMessage")]
    [InlineData("-Protocol 256", "ParameterArgumentTransformationError")]
    [InlineData("-Source Smoke", "CannotConvertArgumentNoMessage")]
    [InlineData("-Trace Some", "CannotConvertArgumentNoMessage")]
    [InlineData("-Interface ''", "ParameterArgumentValidationError")]
    [InlineData("-Interface lo -Filter ''", "ParameterArgumentValidationError")]
    [InlineData("-PcapPath ''", "ParameterArgumentValidationError")]
    [InlineData("-Interface lo -IncomingUdpPort 53, 0", "ParameterArgumentValidationError")]
    [InlineData("-Interface lo -IncomingUdpPort 65536", "ParameterArgumentValidationError")]
    [InlineData("-Interface lo -LocalAddress 10.1", "CannotConvertArgumentNoMessage")]
    public void A_value_that_is_none_is_refused_before_anything_starts(string parameters, string id) => RefusesBinding(parameters, id);

    [Theory]
    [InlineData("-ReplayPath x -NetworkNamespace y")]
    [InlineData("-ReplayPath x -Trace Flows")]
    [InlineData("-ReplayPath x -ResolveProcess")]
    [InlineData("-ReplayPath x -RecordPath y")]
    [InlineData("-ReplayPath x -Duration 5s")]
    [InlineData("-Interface lo -Accounting")]
    [InlineData("-Interface lo -Trace Flows")]
    [InlineData("-Interface lo -PcapPath x")]
    [InlineData("-Interface lo -ReplayPath x")]
    [InlineData("-PcapPath x -ReplayPath x")]
    [InlineData("-PcapPath x -NetworkNamespace y")]
    [InlineData("-PcapPath x -Duration 5s")]
    [InlineData("-PcapPath x -ResolveProcess")]
    public void Parameters_of_different_sources_do_not_bind_together(string parameters) => RefusesBinding(parameters, "AmbiguousParameterSet");

    [Theory]
    [InlineData("-Filter tcp", "-Filter requires -Source Packet, -Interface or -PcapPath: otherwise the source is connection tracking")]
    [InlineData("-IncomingUdpPort 53", "-IncomingUdpPort requires -Source Packet, -Interface or -PcapPath")]
    [InlineData("-Source Conntrack -Interface lo", "-Source Conntrack cannot be used with -Interface: it requires connection tracking")]
    [InlineData("-Source Conntrack -PcapPath x", "-Source Conntrack cannot be used with -PcapPath: it requires connection tracking")]
    [InlineData("-Source Packet -Accounting", "-Accounting cannot be used with -Source Packet: it requires connection tracking")]
    [InlineData("-Source Packet -Trace Flows", "-Trace cannot be used with -Source Packet: it requires connection tracking")]
    [InlineData("-ReplayPath x -Source Packet", "-Source Packet cannot be used with -ReplayPath: a replay only reads a recording")]
    [InlineData("-ReplayPath x -Filter tcp", "-Filter cannot be used with -ReplayPath: a replay only reads a recording")]
    [InlineData("-Duration 0", "")]
    [InlineData("-Duration '-5s'", "")]
    [InlineData("-TraceDuration 30s", "-Trace Flows")]
    [InlineData("-Trace None -TraceDuration 30s", "-Trace Flows")]
    [InlineData("-Trace Everything -TraceDuration 30s", "-Trace Flows")]
    [InlineData("-Trace Flows -TraceDuration 999ms", "one second to one day")]
    [InlineData("-Trace Flows -TraceDuration 25h", "one second to one day")]
    public void What_does_not_go_together_is_refused_with_the_reason(string parameters, string says)
    {
        ErrorRecord error = Refuses($"{parameters} -WhatIf", "ConntrackArgumentInvalid", ErrorCategory.InvalidArgument);
        Assert.Contains(says, error.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("30", 30)]
    [InlineData("'30'", 30)]
    [InlineData("'500ms'", 0.5)]
    [InlineData("'30s'", 30)]
    [InlineData("'1d'", 86400)]
    [InlineData("'1.5m'", 90)]
    [InlineData("'2h'", 7200)]
    [InlineData("'00:05:00'", 300)]
    [InlineData("[timespan]::FromSeconds(7)", 7)]
    public void A_duration_is_in_seconds_or_in_the_unit_that_it_names(string value, double seconds) => Assert.Equal(
        $"{TimeSpan.FromSeconds(seconds)}",
        Engine.Line($$"""
            $duration = (Get-Command Start-ConntrackCapture).Parameters['Duration'].Attributes.Where({ $_.GetType().Name -eq 'DurationAttribute' })[0]
            $duration.Transform($ExecutionContext, ({{value}})).ToString()
            """));

    [Fact]
    public void A_user_without_privileges_reads_which_capability_is_missing()
    {
        ToolResult result = OtherPowerShell.RunUnprivileged("""
            try { Start-ConntrackCapture }
            catch { $_.FullyQualifiedErrorId; "$($_.CategoryInfo.Category)"; $_.Exception.Message; $_.ErrorDetails.RecommendedAction }
            @(Get-ConntrackCapture).Count
            """);

        Assert.Equal(["ConntrackPermissionDenied,Conntracker.PowerShell.Commands.StartConntrackCaptureCommand", "PermissionDenied"], result.Lines[..2]);
        Assert.Contains("CAP_NET_ADMIN", result.Lines[2], StringComparison.Ordinal);
        Assert.Contains("sudo pwsh", result.Output, StringComparison.Ordinal);
        Assert.Equal("0", result.Lines[^1]);
    }

    [Fact]
    public void A_user_without_privileges_can_replay()
    {
        ToolResult result = OtherPowerShell.RunUnprivileged($"(Start-ConntrackCapture -ReplayPath '{Repository.Fixtures}/office.ctrec').FlowCount");
        Assert.Equal(("15\n", ""), (result.Output, result.Error));
    }

    protected override void Dispose(bool disposing)
    {
        base.Dispose(disposing);
        if (disposing)
        {
            _folder.Dispose();
        }
    }

    private ErrorRecord Refuses(string parameters, string id, ErrorCategory category)
    {
        ErrorRecord error = Engine.Fail($"Start-ConntrackCapture {parameters}", id, category);
        Assert.Equal("0", Engine.Line("@(Get-ConntrackCapture).Count"));
        return error;
    }

    private void RefusesBinding(string parameters, string id)
    {
        Assert.StartsWith(id, Answer.IdOf(Engine.Fail($"Start-ConntrackCapture {parameters}")), StringComparison.Ordinal);
        Assert.Equal("0", Engine.Line("@(Get-ConntrackCapture).Count"));
    }
}
