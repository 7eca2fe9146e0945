using System.Management.Automation;
using Conntracker.Tests.Module.Support;
using Xunit;

namespace Conntracker.Tests.Module;

/// <summary>Enable-FlowTrace.</summary>
public sealed class EnableFlowTraceTests : ModuleTest
{
    [Theory]
    [InlineData("Enable-FlowTrace -DstPort 443", "CaptureNotFound", ErrorCategory.ObjectNotFound)]
    [InlineData("Enable-FlowTrace -DstPort 443 -Name nobody", "CaptureNotFound", ErrorCategory.ObjectNotFound)]
    [InlineData("$c = Start-ConntrackCapture office -ReplayPath $office; Enable-FlowTrace -DstPort 443", "CaptureNotRunning", ErrorCategory.InvalidOperation)]
    [InlineData("$c = Start-ConntrackCapture office -ReplayPath $office; Enable-FlowTrace -DstPort 443 -Name office",
        "CaptureNotRunning", ErrorCategory.InvalidOperation)]
    [InlineData("$c = Start-ConntrackCapture office -ReplayPath $office; $c | Enable-FlowTrace -DstPort 443",
        "CaptureNotRunning", ErrorCategory.InvalidOperation)]
    [InlineData("$c = Start-ConntrackCapture office -ReplayPath $office; Get-ConntrackFlow | Enable-FlowTrace",
        "CaptureNotRunning", ErrorCategory.InvalidOperation)]
    [InlineData("$c = Start-ConntrackCapture office -ReplayPath $office; Enable-FlowTrace -DstPort 53 -Name office -Capture $c",
        "ConntrackArgumentInvalid", ErrorCategory.InvalidArgument)]
    [InlineData("Enable-FlowTrace", "ConntrackArgumentInvalid", ErrorCategory.InvalidArgument)]
    [InlineData("Enable-FlowTrace -Name office -Duration 10s", "ConntrackArgumentInvalid", ErrorCategory.InvalidArgument)]
    [InlineData("Enable-FlowTrace -DstPort 443 -Duration 0s", "ConntrackArgumentInvalid", ErrorCategory.InvalidArgument)]
    [InlineData("Enable-FlowTrace -DstPort 443 -Duration 500ms", "ConntrackArgumentInvalid", ErrorCategory.InvalidArgument)]
    [InlineData("Enable-FlowTrace -DstPort 443 -Duration '-5s'", "ConntrackArgumentInvalid", ErrorCategory.InvalidArgument)]
    [InlineData("Enable-FlowTrace -DstPort 443 -Duration 2d", "ConntrackArgumentInvalid", ErrorCategory.InvalidArgument)]
    [InlineData("Enable-FlowTrace -DstPort 443 -Duration ([timespan]::MaxValue)", "ConntrackArgumentInvalid", ErrorCategory.InvalidArgument)]
    [InlineData("$c = Start-ConntrackCapture office -ReplayPath $office; Enable-FlowTrace -InputObject (Get-ConntrackFlow -DstPort 53) -DstPort 53",
        "AmbiguousParameterSet", ErrorCategory.InvalidArgument)]
    public void What_cannot_be_traced_is_an_error(string script, string id, ErrorCategory category) => Engine.Fail(script, id, category);

    [Fact]
    public void Nothing_chosen_is_not_everything_and_the_error_names_the_parameters() =>
        Assert.Contains("-DstPort", Engine.Fail("Enable-FlowTrace").ToString(), StringComparison.Ordinal);

    [Fact]
    public void No_flows_are_no_error() => Assert.Empty(Engine.Lines("@() | Enable-FlowTrace -PassThru"));

    [Fact]
    public void Flows_of_the_pipeline_are_traced_from_now_on()
    {
        using TestNamespace host = Guarded();
        string rules = Traffic.RulesOf(host);
        using UdpSender sender = new(host, 30001, 40001);
        sender.Send(2);
        Eventually.True("the flow", () => Engine.Lines("Get-ConntrackFlow -SrcPort 30001").Length == 1);

        Assert.Equal(
            ["Conntracker.FlowTrace", "1 live True 0", "Udp 127.0.0.1:30001 -> 127.0.0.1:40001", "30001", "True"],
            Engine.Lines("""
                $trace = Get-ConntrackFlow -SrcPort 30001 | Enable-FlowTrace -Duration 10s -PassThru
                $trace.GetType()
                "$($trace.Id) $($trace.Capture) $($trace.IsActive) $($trace.Packets)"
                $trace.Target
                $trace.Flow.SrcPort
                ($trace.Until - $trace.StartTime).TotalSeconds -gt 9.9
                """));
        sender.Send(3);
        Eventually.True("three packets", () =>
            Engine.Lines("(Get-ConntrackFlow -SrcPort 30001).Trace | Where-Object { $_.Chain -eq 'input' -and $_.Packets -eq 3 }").Length == 1);
        Assert.Equal(
            [
                "table: inet guard, chain: output, type: rule, position: 2 3", "table: inet guard, chain: services, type: return, position: 3 3",
                "table: inet guard, chain: output, type: policy, position: 3 3", "table: inet guard, chain: input, type: policy, position: 2 3",
            ],
            Engine.Lines("(Get-ConntrackFlow -SrcPort 30001).Trace | ForEach-Object { \"$_ $($_.Packets)\" }"));
        Assert.Equal(["Accepted", "inet guard input policy accept", "12", "True"],
            Engine.Lines(
                "$f = Get-ConntrackFlow -SrcPort 30001; $f.Verdict; $f.VerdictRule; (Get-FlowTrace -Id 1).Steps; (Get-FlowTrace -Id 1).Packets -ge 3"));
        Assert.Equal(rules, Traffic.RulesOf(host));
    }

    [Fact]
    public void What_selectors_match_is_traced_and_nothing_else()
    {
        using TestNamespace host = Guarded();
        string rules = Traffic.RulesOf(host);
        Traffic.SendSyn(host, 22);

        Assert.Equal(["protocol Tcp, from 127.0.0.0/8, to port 22-23", "True"],
            Engine.Lines("$t = Enable-FlowTrace -Protocol Tcp -SrcAddress 127.0.0.0/8 -DstPort 22-23 -PassThru; $t.Target; $null -eq $t.Flow"));

        // Nobody has seen the first one: it was dropped, and not traced.
        Assert.Empty(Engine.Lines("Get-ConntrackFlow -DstPort 22"));
        Traffic.SendSyn(host, 22);
        Traffic.SendSyn(host, 8081);
        Traffic.SendSyn(host, 23);
        Eventually.True("both flows", () => Engine.Lines("Get-ConntrackFlow -Verdict Dropped, Rejected").Length == 2);

        // The rules' text is read beside the capture: a busy machine shows a handle first.
        Eventually.Equal(
            () => "22 inet guard services #1: tcp dport 22 drop comment \"no ssh\"\n23 inet guard input #1: tcp dport 23 reject with tcp reset",
            () => string.Join('\n', Engine.Lines("Get-ConntrackFlow -Verdict Dropped, Rejected | ForEach-Object { \"$($_.DstPort) $($_.VerdictRule)\" }")
                .Order(StringComparer.Ordinal)));

        // Port 8081 came between the two.
        Assert.Empty(Engine.Lines("Get-ConntrackFlow -DstPort 8081 | Where-Object Verdict -ne Unknown"));
        Assert.Equal(rules, Traffic.RulesOf(host));
    }

    [Fact]
    public void Tracing_ends_when_the_time_is_over()
    {
        using TestNamespace host = Guarded();
        using UdpSender sender = new(host, 30002, 40002);
        using UdpSender marker = new(host, 30003, 40003);
        Engine.Lines("Enable-FlowTrace -SrcPort 30002 -Duration 1s; Enable-FlowTrace -SrcPort 30003 -Duration 60s");
        Eventually.True("a packet", () =>
        {
            sender.Send();
            return Engine.Line("(Get-FlowTrace -Id 1).Packets") != "0" || Engine.Line("(Get-FlowTrace -Id 1).IsActive") == "False";
        });
        Eventually.True("the end of the trace", () => Engine.Line("(Get-FlowTrace -Id 1).IsActive") == "False");

        // The kernel forgets it a moment later: from then on a packet that is traced comes behind packets that are not.
        AssertUntraced(sender, marker);
        Assert.Equal(["2"], Engine.Lines("Get-FlowTrace -Active | ForEach-Object Id"));
    }

    [Fact]
    public void What_is_traced_already_gets_its_time_again_with_a_warning()
    {
        using TestNamespace host = Guarded();
        Answer answer = Engine.Run("""
            $first = Enable-FlowTrace -DstPort 443 -Duration 10s -PassThru
            $again = Enable-FlowTrace -DstPort 443 -Duration 60s -PassThru
            $again.Id -eq $first.Id
            $again.Until -gt $first.Until.AddSeconds(40)
            @(Get-FlowTrace).Count
            """);

        Assert.Empty(answer.Errors);
        Assert.Equal(["True", "True", "1"], answer.Lines);
        Assert.Contains("to port 443 is already traced", Assert.Single(answer.Warnings), StringComparison.Ordinal);
    }

    [Fact]
    public void Pings_that_differ_in_their_ids_only_are_two_traces()
    {
        using TestNamespace host = Guarded();
        Traffic.Ping(host);
        Traffic.Ping(host);
        Eventually.True("two pings", () => Engine.Lines("Get-ConntrackFlow -Protocol Icmp").Length == 2);

        Answer answer = Engine.Run("(Get-ConntrackFlow -Protocol Icmp | Enable-FlowTrace -PassThru).Id");
        Assert.Equal(["1", "2"], answer.Lines);
        Assert.Empty(answer.Warnings);
    }

    [Theory]
    [InlineData("Enable-FlowTrace -SrcAddress 10.0.0.1 -DstAddress ::1")]
    [InlineData("Enable-FlowTrace -Protocol Icmp -DstPort 80")]
    [InlineData("Enable-FlowTrace -SrcPort (1..20) -DstPort (1..20)")]
    [InlineData("Start-ConntrackCapture tcp -NetworkNamespace $host_ -Protocol Tcp | Enable-FlowTrace -Protocol Udp")]
    [InlineData("Start-ConntrackCapture all -NetworkNamespace $host_ -Trace Everything | Enable-FlowTrace -Protocol Icmp -DstPort 80")]
    public void Selectors_that_nothing_can_match_are_refused(string script)
    {
        using TestNamespace host = Guarded();
        Engine.Set("host_", host.Name);
        Engine.Fail(script, "TraceSelectorInvalid", ErrorCategory.InvalidArgument);
        Assert.Empty(Engine.Lines("Get-FlowTrace | Where-Object Id -ne 0"));
    }

    [Fact]
    public void Flows_that_cannot_be_told_apart_are_left_out_and_the_others_are_traced()
    {
        using TestNamespace host = Guarded();
        using TempDirectory folder = new();
        File.WriteAllText(
            folder.File("folded.jsonl"),
            """{"Protocol":"Tcp","Family":"IPv4","SrcAddress":"10.0.0.1","DstAddress":"10.0.0.2","DstPort":80,""" +
            """ "ReplySrcAddress":"10.0.0.2","ReplyDstAddress":"10.0.0.1","Folding":"ClientPort"}""");
        Engine.Set("folder", folder.Path);
        Traffic.SendUdp(host, 31000, 1);
        Eventually.True("the flow", () => Engine.Lines("Get-ConntrackFlow -SrcPort 31000").Length == 1);

        Answer answer = Engine.Run("(@(Import-ConntrackLog \"$fixtures/v1.log\")[0], (Import-ConntrackLog \"$folder/folded.jsonl\"), (Get-ConntrackFlow " +
            "-SrcPort 31000) | Enable-FlowTrace -PassThru).Flow.SrcPort");

        Assert.Equal(["31000"], answer.Lines);
        Assert.Equal(["FlowNotTraceable", "FlowNotTraceable"], answer.ErrorIds);
        Assert.Equal(ErrorCategory.InvalidArgument, answer.Errors[0].CategoryInfo.Category);
        Assert.Contains("folded", answer.Errors[1].ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void The_only_capture_that_runs_is_meant_and_of_several_one_must_be_named()
    {
        using TestNamespace host = Guarded();
        Engine.Lines("$null = Start-ConntrackCapture office -ReplayPath $office; $capture = Get-ConntrackCapture live");
        Assert.Equal("live", Engine.Line("(Enable-FlowTrace -DstPort 1 -PassThru).Capture"));
        Engine.Lines($"$other = Start-ConntrackCapture other -NetworkNamespace {host.Name}");
        Engine.Fail("Enable-FlowTrace -DstPort 2", "CaptureAmbiguous", ErrorCategory.InvalidArgument);
        Engine.Fail("Enable-FlowTrace -DstPort 2 -Name *", "CaptureAmbiguous", ErrorCategory.InvalidArgument);
        Assert.Equal(
            ["other", "other", "other", "live", "other"],
            Engine.Lines("""
                (Enable-FlowTrace -DstPort 2 -Name OTHER -PassThru).Capture
                (Enable-FlowTrace -DstPort 3 -Name ot* -PassThru).Capture
                (Enable-FlowTrace -DstPort 4 -Capture $other -PassThru).Capture
                ($capture, $other | Enable-FlowTrace -DstPort 5 -PassThru).Capture
                """));
    }

    [Fact]
    public void WhatIf_traces_nothing()
    {
        using TestNamespace host = Guarded();
        Assert.Equal(["What if: Performing the operation \"Trace for 00:00:30\" on target \"to port 443, by live\"."],
            Engine.Show("Enable-FlowTrace -DstPort 443 -WhatIf -PassThru"));
        Assert.Empty(Engine.Lines("Get-FlowTrace"));
    }

    // A namespace with rules, and a capture in it.
    private TestNamespace Guarded()
    {
        TestNamespace host = new();
        Traffic.LoadRules(host);
        Engine.Lines($"$null = Start-ConntrackCapture live -NetworkNamespace {host.Name}");
        return host;
    }

    // Trace 1 is over, trace 2 is not: what comes in of it comes in behind all that the kernel had to say of trace 1.
    private void AssertUntraced(UdpSender over, UdpSender marker)
    {
        Eventually.True("packets that are not traced any more", () =>
        {
            string before = Engine.Line("(Get-FlowTrace -Id 1).Packets");
            over.Send(3);
            string marked = Engine.Line("(Get-FlowTrace -Id 2).Packets");
            marker.Send();
            Eventually.True("the marker", () => Engine.Line("(Get-FlowTrace -Id 2).Packets") != marked);
            return Engine.Line("(Get-FlowTrace -Id 1).Packets") == before;
        });
    }
}
