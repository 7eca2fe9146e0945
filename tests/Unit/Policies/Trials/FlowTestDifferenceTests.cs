using System.Net;
using System.Text.Json;
using Conntracker.Core.Policies.Trials;
using Xunit;

namespace Conntracker.Tests.Unit.Policies.Trials;

/// <summary>What two rulesets do to a flow, compared.</summary>
public class FlowTestDifferenceTests
{
    private static readonly FirewallRule s_rule =
        new() { Engine = TraceEngine.Nftables, Family = "inet", Table = "filter", Chain = "input", Position = 3, Text = "tcp dport 22 accept" };

    // Verdict and answer: A(ccepted), D(ropped), R(ejected), U(nknown), a dash for an answer that nobody gives; then whether the flow works.
    [Theory]
    [InlineData("AA", true)]
    [InlineData("A-", true)]
    [InlineData("AD", false)]
    [InlineData("AR", false)]
    [InlineData("AU", null)]
    [InlineData("D-", false)]
    [InlineData("R-", false)]
    [InlineData("U-", null)]
    public void A_flow_works_when_request_and_answer_get_through(string verdicts, bool? works) => Assert.Equal(works, FlowTestDifference.Works(Test(verdicts)));

    [Theory]
    [InlineData("AA", "AA", false)]
    [InlineData("AA", "D-", true)]
    [InlineData("D-", "AA", true)]
    [InlineData("AD", "AA", true)]
    [InlineData("AD", "D-", false)]
    [InlineData("D-", "R-", false)]
    [InlineData("U-", "AA", null)]
    [InlineData("AA", "AU", null)]
    public void Changed_is_whether_the_flow_works_with_one_ruleset_only(string verdicts, string old, bool? changed)
    {
        FlowTest test = FlowTestDifference.WithOld(Test(verdicts), Test(old) with { Rule = s_rule });
        Assert.Equal(changed, test.Changed);
        Assert.Equal((Test(old).Verdict, Test(old).ReplyVerdict, s_rule), (test.OldVerdict, test.OldReplyVerdict, test.OldRule));
    }

    [Theory]
    [InlineData("AA", "AA", false)]
    [InlineData("D-", "R-", true)]
    [InlineData("AA", "AD", true)]
    [InlineData("U-", "U-", false)]
    [InlineData("U-", "AA", true)]
    public void Another_verdict_on_request_or_answer_is_a_difference(string verdicts, string old, bool differs) =>
        Assert.Equal(differs, FlowTestDifference.Differs(FlowTestDifference.WithOld(Test(verdicts), Test(old))));

    [Fact]
    public void Another_rule_is_a_difference_but_not_another_position_of_the_same_rule()
    {
        FlowTest test = Test("AA") with { Rule = s_rule };
        Assert.False(Differs(s_rule with { Position = 7, Handle = 9, File = "old.nft", Line = 1 }));
        Assert.True(Differs(s_rule with { Chain = "forward" }));
        Assert.True(Differs(s_rule with { Text = "accept" }));
        Assert.True(Differs(null));

        bool Differs(FirewallRule? rule) => FlowTestDifference.Differs(FlowTestDifference.WithOld(test, Test("AA") with { Rule = rule }));
    }

    [Fact]
    public void A_test_as_JSON_has_the_names_of_the_properties_and_no_nulls()
    {
        FlowTest original = Test("AD") with { Rule = s_rule with { Comment = "Käse" }, DependsOn = FlowTestDependency.Rate | FlowTestDependency.Chance };
        string json = FlowTestJson.Format(original);
        Assert.DoesNotContain('\n', json);
        Assert.Contains("Käse", json, StringComparison.Ordinal);
        JsonElement test = JsonDocument.Parse(json).RootElement;
        Assert.Equal("Accepted", test.GetProperty("Verdict").GetString());
        Assert.Equal("Dropped", test.GetProperty("ReplyVerdict").GetString());
        Assert.Equal("tcp dport 22 accept", test.GetProperty("Rule").GetProperty("Text").GetString());
        Assert.Equal("192.0.2.1", test.GetProperty("Flow").GetProperty("DstAddress").GetString());
        Assert.Equal("Rate, Chance", test.GetProperty("DependsOn").GetString());
        Assert.False(test.TryGetProperty("ReplyRule", out _));
    }

    private static FlowTest Test(string verdicts)
    {
        FlowDescription flows = new()
        {
            Protocols = [FlowProtocol.Tcp],
            SrcAddresses = [IPAddress.Parse("203.0.113.9")],
            DstAddresses = [IPAddress.Parse("192.0.2.1")],
            DstPorts = [new PortRange(22)],
        };
        return new FlowTest
        {
            Flow = Assert.Single(flows.ToFlows()),
            Verdict = Of(verdicts[0]),
            ReplyVerdict = Of(verdicts[1]),
            Reason = verdicts.Contains('U') ? "nobody knows" : null,
        };
    }

    private static FlowVerdict Of(char letter) => letter switch
    {
        'A' => FlowVerdict.Accepted,
        'D' => FlowVerdict.Dropped,
        'R' => FlowVerdict.Rejected,
        _ => FlowVerdict.Unknown,
    };
}
