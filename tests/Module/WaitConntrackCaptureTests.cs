using System.Management.Automation;
using Conntracker.Tests.Module.Support;
using Xunit;

namespace Conntracker.Tests.Module;

/// <summary>Wait-ConntrackCapture.</summary>
public sealed class WaitConntrackCaptureTests : ModuleTest
{
    [Theory]
    [InlineData("Wait-ConntrackCapture", "office web")]
    [InlineData("Wait-ConntrackCapture w*", "web")]
    [InlineData("Wait-ConntrackCapture -Capture (Get-ConntrackCapture web)", "web")]
    [InlineData("Get-ConntrackCapture | Wait-ConntrackCapture -Timeout 1s", "office web")]
    [InlineData("'web' | Wait-ConntrackCapture", "web")]
    [InlineData("[pscustomobject]@{ Name = 'web' } | Wait-ConntrackCapture", "web")]
    public void It_takes_names_and_captures_and_hands_on_those_that_have_ended(string script, string names)
    {
        Engine.Lines("foreach ($name in 'office', 'web') { $null = Start-ConntrackCapture $name -ReplayPath $office }");

        IReadOnlyList<PSObject> captures = Engine.Objects(script);
        Assert.Equal(names.Split(' '), captures.Select(each => each.Properties["Name"].Value));
        Assert.All(captures, each => Assert.Equal("Conntracker.Capture", each.TypeNames[0]));
    }

    [Fact]
    public void A_name_that_stands_for_none_is_an_error() => Engine.Fail("Wait-ConntrackCapture nobody", "CaptureNotFound", ErrorCategory.ObjectNotFound);

    [Fact]
    public void A_timeout_that_is_no_time_is_refused() =>
        Engine.Fail("Wait-ConntrackCapture -Timeout later", "ParameterArgumentTransformationError", ErrorCategory.InvalidData);

    [Fact]
    public void It_waits_until_a_capture_ends()
    {
        using TestNamespace host = new();

        Assert.Equal(
            ["Stopped", "True"],
            Engine.Lines($"$ended = Start-ConntrackCapture -NetworkNamespace {host.Name} -Duration 500ms | Wait-ConntrackCapture; $ended.State; " +
                "$ended.Duration.TotalMilliseconds -ge 490"));
    }

    [Fact]
    public void After_the_timeout_nothing_is_handed_on_and_the_capture_runs()
    {
        using TestNamespace host = new();
        Engine.Lines($"$capture = Start-ConntrackCapture -NetworkNamespace {host.Name}");

        Assert.Empty(Engine.Lines("$capture | Wait-ConntrackCapture -Timeout 200ms"));
        Assert.Empty(Engine.Lines("$capture | Wait-ConntrackCapture -Timeout 0"));
        Assert.Equal("Running", Engine.Line("$capture.State"));
    }

    [Fact]
    public void It_ends_at_once_when_the_user_presses_Ctrl_C_and_the_capture_runs()
    {
        using TestNamespace host = new();
        Engine.Lines($"$capture = Start-ConntrackCapture live -NetworkNamespace {host.Name}");
        using (RunningScript waiting = Engine.Start("'waits'; Wait-ConntrackCapture live"))
        {
            Eventually.True("the wait", () => waiting.Output.Count == 1);
            waiting.Stop();
            Assert.Equal(PSInvocationState.Stopped, waiting.State);
        }

        Assert.Equal("Running", Engine.Line("$capture.State"));
    }
}
