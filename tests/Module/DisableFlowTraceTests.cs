using System.Management.Automation;
using Conntracker.Tests.Module.Support;
using Xunit;

namespace Conntracker.Tests.Module;

/// <summary>Disable-FlowTrace.</summary>
public sealed class DisableFlowTraceTests : ModuleTest
{
    [Theory]
    [InlineData("Disable-FlowTrace", "ConntrackArgumentInvalid", ErrorCategory.InvalidArgument)]
    [InlineData("Disable-FlowTrace 1", "CaptureNotFound", ErrorCategory.ObjectNotFound)]
    [InlineData("$null = Start-ConntrackCapture office -ReplayPath $office; Disable-FlowTrace 1", "CaptureNotRunning", ErrorCategory.InvalidOperation)]
    [InlineData("$null = Start-ConntrackCapture office -ReplayPath $office; Disable-FlowTrace 1 -Name nobody", "CaptureNotFound", ErrorCategory.ObjectNotFound)]
    public void What_cannot_be_ended_is_an_error(string script, string id, ErrorCategory category) => Engine.Fail(script, id, category);

    [Fact]
    public void Nothing_chosen_ends_nothing_and_the_error_says_how_all_are_ended() =>
        Assert.Contains("Get-FlowTrace", Engine.Fail("Disable-FlowTrace").ToString(), StringComparison.Ordinal);

    [Fact]
    public void The_trace_of_a_flow_ends_at_once()
    {
        using TestNamespace host = Captured();
        using UdpSender sender = new(host, 30101, 40101);
        sender.Send();
        Eventually.True("the flow", () => Engine.Lines("Get-ConntrackFlow -SrcPort 30101").Length == 1);
        Engine.Lines("$flow = Get-ConntrackFlow -SrcPort 30101; $flow | Enable-FlowTrace");
        sender.Send(2);
        Eventually.True("packets", () => Engine.Line("(Get-FlowTrace -Id 1).Packets -ge 2") == "True");

        Assert.Equal(["Conntracker.FlowTrace 1 False"],
            Engine.Lines("$flow | Disable-FlowTrace -PassThru | ForEach-Object { \"$($_.GetType()) $($_.Id) $($_.IsActive)\" }"));

        AssertUntraced(host, sender);
        Engine.Fail("$flow | Disable-FlowTrace", "FlowTraceNotFound", ErrorCategory.ObjectNotFound);
    }

    [Fact]
    public void The_trace_of_selectors_ends_by_the_same_selectors()
    {
        using TestNamespace host = Captured();
        using UdpSender sender = new(host, 30102, 40102);
        Engine.Lines("Enable-FlowTrace -Protocol Udp -DstPort 40102");
        sender.Send();
        Eventually.True("a packet", () => Engine.Line("(Get-FlowTrace -Id 1).Packets -gt 0") == "True");

        Engine.Fail("Disable-FlowTrace -DstPort 40102", "FlowTraceNotFound", ErrorCategory.ObjectNotFound);
        Engine.Lines("Disable-FlowTrace -Protocol Udp -DstPort 40102");

        Assert.Equal("False", Engine.Line("(Get-FlowTrace -Id 1).IsActive"));
        AssertUntraced(host, sender);
    }

    [Fact]
    public void Traces_of_the_pipeline_end_each_in_its_own_capture()
    {
        using TestNamespace host = Captured();
        Engine.Lines($"$other = Start-ConntrackCapture other -NetworkNamespace {host.Name}; (Get-ConntrackCapture live), $other | " +
            "Enable-FlowTrace -DstPort 443");

        Assert.Equal(["False", "False"], Engine.Lines("Get-FlowTrace | Disable-FlowTrace; (Get-FlowTrace).IsActive"));

        // What is over is left as it is.
        Assert.Equal(["1", "1"], Engine.Lines("Get-FlowTrace | Disable-FlowTrace -PassThru | ForEach-Object Id"));
        Engine.Fail("$trace = Get-FlowTrace other; Remove-ConntrackCapture other; $trace | Disable-FlowTrace", "CaptureNotFound", ErrorCategory.ObjectNotFound);
    }

    [Fact]
    public void By_number_it_goes_on_after_a_wrong_one_and_leaves_number_0()
    {
        using TestNamespace host = Captured();
        Engine.Lines($"$null = Start-ConntrackCapture traced -NetworkNamespace {host.Name} -Trace Flows; 1, 2 | " +
            $"ForEach-Object {{ Enable-FlowTrace -Name traced -DstPort $_ }}");

        Answer answer = Engine.Run("Disable-FlowTrace -Id 7, 0, 2 -Name traced; (Get-FlowTrace traced -Active).Id");

        Assert.Equal(["FlowTraceNotFound", "FlowTraceNotFound"], answer.ErrorIds);
        Assert.Equal((7, "Trace 0 is the trace that traced was started with. It ends with the capture."),
            (answer.Errors[0].TargetObject, answer.Errors[1].ToString()));
        Assert.Equal(["0", "1"], answer.Lines);
    }

    [Fact]
    public void WhatIf_ends_nothing()
    {
        using TestNamespace host = Captured();
        Engine.Lines("Enable-FlowTrace -DstPort 443");
        Assert.Equal(["What if: Performing the operation \"End trace\" on target \"to port 443, by live\"."],
            Engine.Show("Get-FlowTrace | Disable-FlowTrace -WhatIf -PassThru"));
        Assert.Equal("True", Engine.Line("(Get-FlowTrace).IsActive"));
    }

    private TestNamespace Captured()
    {
        TestNamespace host = new();
        Engine.Lines($"$null = Start-ConntrackCapture live -NetworkNamespace {host.Name}");
        return host;
    }

    // Packets of another trace, sent behind, come in behind: by then the kernel has nothing more to say of trace 1.
    private void AssertUntraced(TestNamespace host, UdpSender sender)
    {
        using UdpSender marker = new(host, 30199, 40199);
        Engine.Lines("Enable-FlowTrace -SrcPort 30199");
        marker.Send();
        Eventually.True("the marker", () => Engine.Line("(Get-FlowTrace -Id 2).Packets -gt 0") == "True");
        string before = Engine.Line("(Get-FlowTrace -Id 1).Packets");
        string marked = Engine.Line("(Get-FlowTrace -Id 2).Packets");

        sender.Send(3);
        marker.Send();

        Eventually.True("the second marker", () => Engine.Line("(Get-FlowTrace -Id 2).Packets") != marked);
        Assert.Equal(before, Engine.Line("(Get-FlowTrace -Id 1).Packets"));
    }
}
