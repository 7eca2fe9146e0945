using System.Management.Automation;
using Conntracker.Tests.Module.Support;
using Xunit;

namespace Conntracker.Tests.Module;

/// <summary>Get-ConntrackCapture.</summary>
public sealed class GetConntrackCaptureTests : ModuleTest
{
    public GetConntrackCaptureTests() =>
        Engine.Lines("foreach ($name in 'office', 'official', 'web') { $null = Start-ConntrackCapture $name -ReplayPath $office }");

    [Fact]
    public void It_gets_all_captures_with_the_oldest_first()
    {
        IReadOnlyList<PSObject> captures = Engine.Objects("Get-ConntrackCapture");

        Assert.Equal(["office", "official", "web"], captures.Select(each => each.Properties["Name"].Value));
        Assert.All(captures, each => Assert.Equal("Conntracker.Capture", each.TypeNames[0]));
        int[] ids = [.. captures.Select(each => (int)each.Properties["Id"].Value)];
        Assert.Equal(ids.Order(), ids);
    }

    [Fact]
    public void No_capture_is_no_error() => Assert.Empty(Engine.Lines("Remove-ConntrackCapture *; Get-ConntrackCapture -ErrorAction Stop"));

    [Theory]
    [InlineData("Get-ConntrackCapture web", "web")]
    [InlineData("Get-ConntrackCapture -Name WEB, office", "web office")]
    [InlineData("Get-ConntrackCapture off*", "office official")]
    [InlineData("Get-ConntrackCapture off*, *i*, office", "office official")]
    [InlineData("Get-ConntrackCapture '[w]e?'", "web")]
    [InlineData("Get-ConntrackCapture no*", "")]
    [InlineData("'web', 'off*' | Get-ConntrackCapture", "web office official")]
    [InlineData("[pscustomobject]@{ Name = 'web' } | Get-ConntrackCapture", "web")]
    [InlineData("Get-ConntrackCapture web | Get-ConntrackCapture", "web")]
    public void It_takes_names_and_wildcards_and_gives_none_twice(string script, string names) =>
        Assert.Equal(names.Split(' ', StringSplitOptions.RemoveEmptyEntries), Engine.Lines($"{script} | ForEach-Object Name"));

    [Fact]
    public void A_name_that_stands_for_none_is_an_error_and_the_others_are_given()
    {
        Answer answer = Engine.Run("(Get-ConntrackCapture nobody, web).Name");

        Assert.Equal(["web"], answer.Lines);
        ErrorRecord error = Assert.Single(answer.Errors);
        Assert.Equal(("CaptureNotFound", "nobody"), (Answer.IdOf(error), error.TargetObject));
    }
}
