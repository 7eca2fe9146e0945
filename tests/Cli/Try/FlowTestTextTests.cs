using System.Globalization;
using System.Net;
using Conntracker.Cli;
using Xunit;

namespace Conntracker.Tests.Cli;

/// <summary>The lines of 'conntracker try' for a person.</summary>
public sealed class FlowTestTextTests
{
    private static readonly FirewallRule s_policy = Rule("policy drop") with { Type = TraceStepType.Policy, Position = 5 };
    private static readonly FirewallRule s_web = Rule("tcp dport 80 accept");

    [Fact]
    public void An_accepted_flow_has_the_rule_of_the_request_and_of_the_answer() => Assert.Equal(
        [
            "ACCEPT   tcp 203.0.113.9:45000 -> 192.0.2.1:80",
            "         by inet filter input rule 3: tcp dport 80 accept (fw.nft:6)",
            "         reply accepted by inet filter input policy drop",
            "         leaves as 198.51.100.1:4000 -> 10.0.0.1:8080",
        ],
        Lines(Test(FlowVerdict.Accepted) with
        {
            Rule = s_web with { File = "/etc/fw.nft", Line = 6 },
            ReplyVerdict = FlowVerdict.Accepted,
            ReplyRule = s_policy,
            Translated = new FlowTuple
            {
                Protocol = FlowProtocol.Tcp,
                SrcAddress = IPAddress.Parse("198.51.100.1"),
                SrcPort = 4000,
                DstAddress = IPAddress.Parse("10.0.0.1"),
                DstPort = 8080,
            },
        }));

    [Fact]
    public void A_dropped_answer_catches_the_eye() =>
        Assert.Contains(
            "         REPLY DROPPED by inet filter input policy drop",
            Lines(Test(FlowVerdict.Accepted) with { ReplyVerdict = FlowVerdict.Dropped, ReplyRule = s_policy }));

    [Theory]
    [InlineData(FlowVerdict.Accepted, "ACCEPT   ")]
    [InlineData(FlowVerdict.Dropped, "DROP     ")]
    [InlineData(FlowVerdict.Rejected, "REJECT   ")]
    [InlineData(FlowVerdict.Unknown, "UNKNOWN  ")]
    public void The_verdict_comes_first(FlowVerdict verdict, string word) =>
        Assert.StartsWith(word, Lines(Test(verdict))[0], StringComparison.Ordinal);

    [Fact]
    public void Why_a_verdict_is_unknown_and_what_it_depends_on_are_lines_of_their_own()
    {
        FlowTestDependency both = FlowTestDependency.Rate | FlowTestDependency.Chance;
        FlowTest test = Test(FlowVerdict.Unknown) with { Reason = "no route leads\nto the address", DependsOn = both };
        Assert.Equal(["         depends on the rate of packets, chance", "         no route leads to the address"], Lines(test)[1..]);
    }

    [Fact]
    public void The_verdict_of_the_capture_is_shown_where_it_was_another_one()
    {
        FlowTest test = Test(FlowVerdict.Dropped) with { OldVerdict = FlowVerdict.Accepted };
        Assert.Equal(["         before: ACCEPT"], Lines(test with { Changed = true })[1..]);
        Assert.Empty(Lines(test with { OldVerdict = FlowVerdict.Dropped, Changed = false })[1..]);
    }

    [Fact]
    public void A_comparison_shows_the_old_rule_and_whether_the_flow_notices()
    {
        FlowTest test = Test(FlowVerdict.Dropped) with { OldVerdict = FlowVerdict.Accepted, OldRule = s_web, OldReplyVerdict = FlowVerdict.Dropped };
        Assert.Equal(
            ["         before: ACCEPT, REPLY DROPPED by inet filter input rule 3: tcp dport 80 accept, so nothing changes for the flow"],
            Lines(test with { Changed = false }, compares: true)[1..]);
        Assert.Equal(
            ["         before: ACCEPT by inet filter input rule 3: tcp dport 80 accept"],
            Lines(test with { OldReplyVerdict = FlowVerdict.Accepted, Changed = true }, compares: true)[1..]);
    }

    [Fact]
    public void An_ICMP_flow_shows_type_code_and_interface()
    {
        Flow ping = Assert.Single((Flows(FlowProtocol.Icmp) with { InInterface = "eth0" }).ToFlows());
        Assert.Equal("DROP     icmp 203.0.113.9 -> 192.0.2.1 type 8 code 0 in eth0", Lines(new FlowTest { Flow = ping, Verdict = FlowVerdict.Dropped })[0]);
    }

    private static FlowTest Test(FlowVerdict verdict) =>
        new() { Flow = Assert.Single((Flows(FlowProtocol.Tcp) with { DstPorts = [new PortRange(80)] }).ToFlows()), Verdict = verdict };

    private static FlowDescription Flows(FlowProtocol protocol) =>
        new() { Protocols = [protocol], SrcAddresses = [IPAddress.Parse("203.0.113.9")], DstAddresses = [IPAddress.Parse("192.0.2.1")] };

    private static FirewallRule Rule(string text) =>
        new() { Engine = TraceEngine.Nftables, Family = "inet", Table = "filter", Chain = "input", Position = 3, Text = text };

    private static string[] Lines(FlowTest test, bool compares = false)
    {
        using StringWriter text = new(CultureInfo.InvariantCulture) { NewLine = "\n" };
        FlowTestText.Write(text, test, compares);
        return text.ToString()[..^1].Split('\n');
    }
}
