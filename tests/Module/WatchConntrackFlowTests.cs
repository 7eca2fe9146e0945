using System.Management.Automation;
using Conntracker.Tests.Module.Support;
using Xunit;

namespace Conntracker.Tests.Module;

/// <summary>Watch-ConntrackFlow.</summary>
public sealed class WatchConntrackFlowTests : ModuleTest
{
    // What ends by itself when all is well is bounded for the case that it does not.
    private const string Bound = "-Duration 1h";

    [Theory]
    [InlineData("Watch-ConntrackFlow office " + Bound)]
    [InlineData("Watch-ConntrackFlow -Capture $capture " + Bound)]
    [InlineData("$capture | Watch-ConntrackFlow " + Bound)]
    [InlineData("'o*' | Watch-ConntrackFlow " + Bound)]
    [InlineData("[pscustomobject]@{ Name = 'office' } | Watch-ConntrackFlow " + Bound)]
    public void On_a_capture_that_has_ended_it_ends_too(string script)
    {
        Engine.Lines("$capture = Start-ConntrackCapture office -ReplayPath $office");
        using RunningScript watch = Engine.Start(script);

        watch.Wait();
        Assert.Empty(watch.Errors);
        Assert.Empty(watch.Output);
    }

    [Theory]
    [InlineData("-Count 0", "ParameterArgumentValidationError")]
    [InlineData("-Duration later", "ParameterArgumentTransformationError")]
    [InlineData("-Duration '-1s'", "ConntrackArgumentInvalid")]
    [InlineData("nobody", "CaptureNotFound")]
    [InlineData("*e*", "CaptureAmbiguous")]
    public void What_cannot_be_watched_is_an_error(string parameters, string id)
    {
        Engine.Lines("foreach ($name in 'office', 'web') { $null = Start-ConntrackCapture $name -ReplayPath $office }");
        Assert.Equal(id, Answer.IdOf(Engine.Fail($"Watch-ConntrackFlow {parameters}")));
    }

    [Fact]
    public void A_user_without_privileges_reads_what_it_needs()
    {
        ToolResult result = OtherPowerShell.RunUnprivileged("try { Watch-ConntrackFlow -Count 1 -Duration 5s } catch { $_.FullyQualifiedErrorId }");
        Assert.StartsWith("ConntrackPermissionDenied,", result.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("-Name live")]
    [InlineData("")]
    public void It_streams_flows_until_there_are_enough_and_the_capture_runs_on(string which)
    {
        using TestNamespace host = new();
        Engine.Lines($"$capture = Start-ConntrackCapture live -NetworkNamespace {host.Name}");
        using (RunningScript watch = Engine.Start($"'watches'; Watch-ConntrackFlow {which} -Count 2 -Protocol Udp -SrcPort 25000-25999"))
        {
            SendUntil(host, () => watch.HasEnded);

            Assert.Empty(watch.Errors);
            Assert.Equal(["System.String", "Conntracker.Flow", "Conntracker.Flow"], watch.Output.Select(each => each.TypeNames[0]));
            Assert.Equal("New", watch.Output[1].Properties["State"].Value.ToString());
        }

        Assert.Equal("Running", Engine.Line("$capture.State"));
    }

    [Fact]
    public void It_streams_flows_of_packets_too()
    {
        using TestNamespace host = new();
        Engine.Lines($"$null = Start-ConntrackCapture live -NetworkNamespace {host.Name} -Interface lo");
        using RunningScript watch = Engine.Start("Watch-ConntrackFlow live -Count 1 -SrcPort 25000-25999");

        SendUntil(host, () => watch.HasEnded);

        Assert.Equal("Udp", Assert.Single(watch.Output).Properties["Protocol"].Value.ToString());
    }

    [Fact]
    public void A_namespace_is_watched_with_a_capture_of_its_own_that_ends_with_it()
    {
        using TestNamespace host = new();
        using (RunningScript watch = Engine.Start($"Watch-ConntrackFlow -NetworkNamespace {host.Name} -Count 1 -SrcPort 25000-25999"))
        {
            SendUntil(host, () => watch.HasEnded);
            Assert.Empty(watch.Errors);
            Assert.Single(watch.Output);
        }

        Assert.Empty(Engine.Lines("Get-ConntrackCapture"));
        Assert.Empty(Traffic.OwnTables(host));
    }

    [Fact]
    public void It_ends_after_its_duration()
    {
        using TestNamespace host = new();
        using RunningScript watch = Engine.Start($"Watch-ConntrackFlow -NetworkNamespace {host.Name} -Duration 300ms");
        watch.Wait();
        Assert.Equal((PSInvocationState.Completed, 0), (watch.State, watch.Errors.Count));
    }

    [Fact]
    public void Ctrl_C_ends_it_and_leaves_no_table()
    {
        using TestNamespace host = new();
        using RunningScript watch = Engine.Start($"Watch-ConntrackFlow -NetworkNamespace {host.Name}");
        Eventually.True("the table", () => Traffic.OwnTables(host).Length > 0);

        watch.Stop();

        Assert.Equal(PSInvocationState.Stopped, watch.State);
        Assert.Empty(Traffic.OwnTables(host));
    }

    [Fact]
    public void It_ends_when_the_pipeline_has_what_it_wants()
    {
        using TestNamespace host = new();
        Engine.Lines($"$null = Start-ConntrackCapture live -NetworkNamespace {host.Name}");
        using RunningScript watch = Engine.Start("foreach ($once in 1) { Watch-ConntrackFlow live -SrcPort 25000-25999 | ForEach-Object { $_; break } }");

        SendUntil(host, () => watch.HasEnded);

        Assert.Single(watch.Output);
    }

    [Fact]
    public void It_ends_when_its_capture_is_removed()
    {
        using TestNamespace host = new();
        using Engine other = new();
        other.Lines($"$null = Start-ConntrackCapture live -NetworkNamespace {host.Name}");
        using RunningScript watch = Engine.Start("Watch-ConntrackFlow live -Protocol Udp");
        SendUntil(host, () => watch.Output.Count > 0);

        other.Lines("Remove-ConntrackCapture live");

        watch.Wait();
        Assert.Empty(watch.Errors);
    }

    [Fact]
    public void It_bears_a_duration_that_is_longer_than_a_timer_can_count()
    {
        using TestNamespace host = new();
        Engine.Lines($"$null = Start-ConntrackCapture live -NetworkNamespace {host.Name} -Duration 300ms");
        Assert.Empty(Engine.Lines("Watch-ConntrackFlow live -Duration 100d"));
    }

    [Fact]
    public void Of_several_captures_that_run_one_must_be_named()
    {
        using TestNamespace host = new();
        Engine.Lines($"foreach ($name in 'a', 'b') {{ $null = Start-ConntrackCapture $name -NetworkNamespace {host.Name} }}");
        Engine.Fail($"Watch-ConntrackFlow {Bound}", "CaptureAmbiguous", ErrorCategory.InvalidArgument);
    }

    [Fact]
    public void A_namespace_that_is_not_there_is_an_error()
    {
        TestNamespace.NeedRoot();
        Engine.Fail("Watch-ConntrackFlow -NetworkNamespace conntracker-nowhere", "NetworkNamespaceNotFound", ErrorCategory.ObjectNotFound);
    }

    [Fact]
    public void Verdicts_are_watched_with_their_rules_also_of_packets_that_are_dropped()
    {
        using TestNamespace host = new();
        Traffic.LoadRules(host);
        using RunningScript watch = Engine.Start($"Watch-ConntrackFlow -NetworkNamespace {host.Name} -Verdict Dropped, Rejected -Count 1 | " +
            $"ForEach-Object {{ \"$($_.DstPort) $($_.Verdict) $($_.VerdictRule)\" }}");

        Eventually.True("a dropped flow", () =>
        {
            Traffic.SendSyn(host, 8081);
            Traffic.SendSyn(host, 22);
            return watch.HasEnded;
        });

        Assert.Equal(["22 Dropped inet guard services #1: tcp dport 22 drop comment \"no ssh\""], watch.Output.Select(each => each.ToString()));
    }

    // The first flows may come before the watching begins.
    private static void SendUntil(TestNamespace host, Func<bool> condition)
    {
        int port = 25000;
        Eventually.True("flows that are watched", () =>
        {
            Traffic.SendUdp(host, port, 1);
            port = Math.Min(port + 1, 25999);
            return condition();
        });
    }
}
