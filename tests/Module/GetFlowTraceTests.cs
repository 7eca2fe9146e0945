using System.Management.Automation;
using Conntracker.Tests.Module.Support;
using Xunit;

namespace Conntracker.Tests.Module;

/// <summary>Get-FlowTrace.</summary>
public sealed class GetFlowTraceTests : ModuleTest
{
    [Theory]
    [InlineData("Get-FlowTrace", "CaptureNotFound")]
    [InlineData("Get-FlowTrace nobody", "CaptureNotFound")]
    [InlineData("$null = Start-ConntrackCapture firewall -ReplayPath $firewall; Get-FlowTrace -Id 1", "FlowTraceNotFound")]
    public void What_is_not_there_is_an_error(string script, string id) => Engine.Fail(script, id, ErrorCategory.ObjectNotFound);

    [Fact]
    public void A_replay_traces_nothing() =>
        Assert.Empty(Engine.Lines("Start-ConntrackCapture firewall -ReplayPath $firewall | Get-FlowTrace; Get-FlowTrace firewall -Active; Get-FlowTrace no*"));

    [Fact]
    public void Number_0_is_what_a_capture_was_started_with()
    {
        using TestNamespace host = new();
        Engine.Lines($"$capture = Start-ConntrackCapture live -NetworkNamespace {host.Name} -Trace Flows -TraceDuration 90s");
        Traffic.SendUdp(host, 32000, 2);
        Eventually.True("two packets", () => Engine.Line("(Get-FlowTrace).Packets -ge 2") == "True");

        Assert.Equal(
            ["Conntracker.FlowTrace 0 live True True True", "each flow, for 90 s", "False", "every packet"],
            Engine.Lines($$"""
                $trace = Get-FlowTrace
                "$($trace.GetType()) $($trace.Id) $($trace.Capture) $($trace.IsActive) $($null -eq $trace.Until) $($null -eq $trace.Flow)"
                $trace.Target
                $capture | Stop-ConntrackCapture
                (Get-FlowTrace).IsActive
                (Start-ConntrackCapture all -NetworkNamespace {{host.Name}} -Trace Everything | Get-FlowTrace).Target
                """));
    }

    [Fact]
    public void Traces_are_chosen_by_capture_number_and_whether_their_time_is_over()
    {
        using TestNamespace host = new();
        Engine.Lines($$"""
            $one = Start-ConntrackCapture one -NetworkNamespace {{host.Name}}
            $two = Start-ConntrackCapture two -NetworkNamespace {{host.Name}} -Trace Flows
            1..3 | ForEach-Object { $one | Enable-FlowTrace -DstPort $_ }
            $two | Enable-FlowTrace -Protocol Icmp
            Disable-FlowTrace -Name one -Id 2
            """);

        Assert.Equal(["1", "2", "3", "0", "1"], Engine.Lines("(Get-FlowTrace).Id"));
        Assert.Equal(["1", "2", "3"], Engine.Lines("(Get-FlowTrace one).Id"));
        Assert.Equal(["0", "1"], Engine.Lines("('two' | Get-FlowTrace).Id"));
        Assert.Equal(["to port 1", "protocol Icmp"], Engine.Lines("($one, $two | Get-FlowTrace -Id 1).Target"));
        Assert.Equal(["1", "3"], Engine.Lines("(Get-FlowTrace -Capture $one -Active).Id"));
        Answer answer = Engine.Run("(Get-FlowTrace -Id 2, 9).Capture");
        Assert.Equal(["one"], answer.Lines);
        Assert.Equal(["FlowTraceNotFound"], answer.ErrorIds);
        Assert.Equal(["1", "2", "3"], Engine.Complete("Get-FlowTrace one -Id "));
        Assert.Equal(["0", "1", "2", "3"], Engine.Complete("Get-FlowTrace -Id ").Order(StringComparer.Ordinal));
        Assert.Equal(["1", "3"], Engine.Complete("Disable-FlowTrace -Name one -Id "));
    }
}
