using System.Management.Automation;
using Conntracker.Tests.Module.Support;
using Xunit;

namespace Conntracker.Tests.Module;

/// <summary>New-ConntrackFlow: flows that nobody has seen.</summary>
public sealed class NewConntrackFlowTests : ModuleTest
{
    private const string Ssh = "New-ConntrackFlow -Protocol Tcp -SrcAddress 203.0.113.9 -DstAddress 192.0.2.1 -DstPort 22";

    [Theory]
    [InlineData(Ssh, "Tcp 203.0.113.9:45000 -> 192.0.2.1:22")]
    [InlineData("New-ConntrackFlow -Protocol 17 -SrcAddress ::1 -DstAddress ([ipaddress] '::2') -DstPort '53' -SrcPort 5353", "Udp [::1]:5353 -> [::2]:53")]
    [InlineData("New-ConntrackFlow -Protocol Icmp -SrcAddress 203.0.113.9 -DstAddress 192.0.2.1", "Icmp 203.0.113.9 -> 192.0.2.1")]
    [InlineData("New-ConntrackFlow -Protocol 112 -SrcAddress 192.0.2.2 -DstAddress 224.0.0.18", "Vrrp 192.0.2.2 -> 224.0.0.18")]
    [InlineData("[pscustomobject]@{ Protocol = 'Udp'; SrcAddress = '192.0.2.2'; DstAddress = '192.0.2.1'; DstPort = 53 } | New-ConntrackFlow",
        "Udp 192.0.2.2:45000 -> 192.0.2.1:53")]
    [InlineData(Ssh + " -SrcPort 1000 | New-ConntrackFlow -DstPort 23", "Tcp 203.0.113.9:1000 -> 192.0.2.1:23")]
    [InlineData("New-ConntrackFlow -Protocol Icmp -SrcAddress 203.0.113.9 -DstAddress 192.0.2.1 | New-ConntrackFlow -IcmpType 13",
        "Icmp 203.0.113.9 -> 192.0.2.1")]
    public void It_makes_the_flow_that_is_described(string script, string flow) => Assert.Equal(flow, Engine.Line(script));

    [Fact]
    public void Several_values_make_several_flows()
    {
        Assert.Equal("2048", Engine.Line("@(New-ConntrackFlow -Protocol Tcp, Udp -SrcAddress 203.0.113.9 -DstAddress 192.0.2.1 -DstPort 1-1024).Count"));
        Assert.Equal("8",
            Engine.Line("@(New-ConntrackFlow -Protocol Tcp -SrcAddress 203.0.113.9, 203.0.113.10 -DstAddress 192.0.2.1, 192.0.2.2 -DstPort 22, 80).Count"));
    }

    [Fact]
    public void It_is_a_flow_that_has_what_was_given()
    {
        Assert.Equal(
            ["Conntracker.Flow", "eth0", "New", "Unknown", "", ""],
            Engine.Lines($"$flow = {Ssh} -InInterface eth0; $flow.PSObject.TypeNames[0]; $flow.InInterface; $flow.State; $flow.Verdict; " +
                "\"$($flow.OutInterface)\"; \"$($flow.PacketMark)\""));
        Assert.Equal(
            ["ppp0", "7", "0", "33"],
            Engine.Lines($"$flow = {Ssh} -OutInterface ppp0 -Mark 7 -UserId 33; $flow.OutInterface; $flow.PacketMark; $flow.Mark; $flow.Process.RealUserId"));
        Assert.Equal(["3", "1"], Engine.Lines("$flow = New-ConntrackFlow -Protocol Icmp -SrcAddress 203.0.113.9 -DstAddress 192.0.2.1 -IcmpType 3 " +
            "-IcmpCode 1; $flow.IcmpType; $flow.IcmpCode"));
    }

    [Theory]
    [InlineData("-SrcAddress 2001:db8::9 -DstAddress 192.0.2.1 -DstPort 22", "*2001:db8::9 is IPv6*")]
    [InlineData("-SrcAddress 203.0.113.9 -DstAddress 192.0.2.1", "*no destination port*")]
    [InlineData("-SrcAddress 203.0.113.9 -DstAddress 192.0.2.1 -DstPort 22 -IcmpType 8", "*no ICMP type*")]
    public void What_contradicts_itself_is_an_error_that_says_so(string arguments, string text)
    {
        ErrorRecord error = Engine.Fail($"New-ConntrackFlow -Protocol Tcp {arguments}", "FlowDescriptionInvalid", ErrorCategory.InvalidArgument);
        Assert.True(WildcardPattern.Get(text, WildcardOptions.None).IsMatch(error.ToString()), error.ToString());
    }

    [Fact]
    public void A_description_in_error_does_not_keep_the_next_one_from_its_flow()
    {
        Answer answer = Engine.Run("'', '22' | ForEach-Object { [pscustomobject]@{ Protocol = 'Tcp'; SrcAddress = '::1'; DstAddress = '::1'; " +
            "DstPort = if ($_) { $_ } } } | New-ConntrackFlow");
        Assert.Equal("FlowDescriptionInvalid", Assert.Single(answer.ErrorIds));
        Assert.Equal("Tcp [::1]:45000 -> [::1]:22", Assert.Single(answer.Lines));
    }

    // PowerShell alone would take the first two for 10.0.0.1 and 8.0.0.1.
    [Theory]
    [InlineData("-SrcAddress '10.1'")]
    [InlineData("-SrcAddress 010.0.0.1")]
    [InlineData("-SrcAddress 192.0.2.0/24")]
    [InlineData("-SrcAddress host.example")]
    [InlineData("-DstAddress '[::1]'")]
    [InlineData("-DstPort 65536")]
    [InlineData("-DstPort 9-8")]
    [InlineData("-Protocol Icmp -IcmpType 256")]
    public void A_value_that_is_none_is_refused(string arguments)
    {
        string rest = string.Concat(
            new[] { ("-Protocol", "Tcp"), ("-SrcAddress", "203.0.113.9"), ("-DstAddress", "192.0.2.1"), ("-DstPort", "22") }
                .Where(each => !arguments.Contains(each.Item1, StringComparison.Ordinal))
                .Select(each => $" {each.Item1} {each.Item2}"));
        Assert.Contains(Answer.IdOf(Engine.Fail($"New-ConntrackFlow {arguments}{rest}")),
            (string[])["ParameterArgumentTransformationError", "CannotConvertArgumentNoMessage"]);
    }

    [Fact]
    public void Tab_offers_the_interfaces_and_no_any() =>
        Assert.Equal(["True", "False"], new[] { "lo", "any" }.Select(each => Engine.Complete("New-ConntrackFlow -InInterface ").Contains(each).ToString()));

    [Fact]
    public void It_survives_Export_Clixml() => Assert.Equal(
        ["eth0", "33"],
        Engine.Lines($"$there = [System.Management.Automation.PSSerializer]::Deserialize([System.Management.Automation.PSSerializer]::Serialize(({Ssh} " +
            "-OutInterface eth0 -UserId 33))); $there.OutInterface; $there.Process.RealUserId"));
}
