using Conntracker.Tests.Module.Support;
using Xunit;

namespace Conntracker.Tests.Module;

/// <summary>The process behind a flow: -ResolveProcess.</summary>
public sealed class ProcessTests : ModuleTest
{
    private readonly TestNamespace _host = new();

    public ProcessTests()
    {
        Engine.Lines($"$capture = Start-ConntrackCapture resolve -NetworkNamespace {_host.Name} -ResolveProcess");
        Traffic.Ping(_host);
        Eventually.True("the process of the ping", () => Engine.Lines("Get-ConntrackFlow -Protocol icmp | Where-Object Process").Length == 1);
    }

    [Fact]
    public void A_flow_has_the_process_with_user_and_command_line()
    {
        string[] lines = Engine.Lines("$p = (Get-ConntrackFlow -Protocol icmp).Process; $p.GetType(); $p.Name; $p.UserName; $p.CommandLine; $p.Id -gt 1; " +
            "(Get-ConntrackFlow -Protocol icmp).OwningProcess -eq $p.Id");
        Assert.Equal(["Conntracker.FlowProcess", "ping", "root", "True", "True"], [.. lines[..3], .. lines[4..]]);
        Assert.Matches(@"ping .*127\.0\.0\.1", lines[3]);
        Assert.Equal("0", Engine.Line("$capture.GetCounters().ProcessesLost"));
    }

    [Theory]
    [InlineData("-ProcessName p?ng", 1)]
    [InlineData("-ProcessName nobody-has-this-name", 0)]
    [InlineData("-ProcessId (Get-ConntrackFlow -Protocol icmp).Process.Id", 1)]
    [InlineData("-ProcessId ([int]::MaxValue)", 0)]
    [InlineData("-UserName root -Protocol icmp", 1)]
    [InlineData("-UserName nobody", 0)]
    public void Flows_are_found_by_their_process(string parameters, int count) =>
        Assert.Equal($"{count}", Engine.Line($"@(Get-ConntrackFlow {parameters}).Count"));

    protected override void Dispose(bool disposing)
    {
        base.Dispose(disposing);
        if (disposing)
        {
            _host.Dispose();
        }
    }
}
