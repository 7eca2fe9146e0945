using Conntracker.Tests.Live.Support;
using Xunit;

namespace Conntracker.Tests.Live.Policies;

/// <summary>The kernel confirms which rules are shadowed, and no others are reported.</summary>
public sealed class RuleUsageTests
{
    private const string Rules = """
        table inet filter {
            chain input {
                type filter hook input priority 0; policy drop;
                tcp dport 20-30 accept
                ip saddr 192.0.2.0/24 tcp dport 22 drop
                udp dport 53 accept
                tcp dport 443 accept
                ip saddr 203.0.113.0/24 tcp dport { 22, 80 } drop
                jump services
            }
            chain services {
                ct state new udp dport 100-200 accept
                udp dport { 123, 161 } drop
                udp dport { 161, 514 } drop
            }
        }
        """;

    [Fact]
    public void A_rule_is_shadowed_when_the_kernel_says_so()
    {
        FirewallTrialOptions options = new()
        {
            Host = TrialHosts.Host(),
            Rulesets = [new RulesetSource { Format = RulesetFormat.Nftables, Text = Rules }],
            Program = CommandLine.Program,
        };
        using FirewallTrial trial = FirewallTrial.Start(options, TestContext.Current.CancellationToken);
        Flow flow = TestFlows.Of(FlowProtocol.Udp, "203.0.113.9", "192.0.2.10", 53);
        flow.Trace = trial.Test(flow).Path;
        FirewallRuleUsageCounter counter = new(trial.Rules);
        counter.Add(flow);

        IReadOnlyList<FirewallRuleUsage> usages = counter.GetUsage(options, TestContext.Current.CancellationToken);

        Assert.Empty(counter.Notices);
        Assert.Equal(
            ["input 2: shadowed by rule 1"],
            from usage in usages
            from finding in usage.Findings
            where finding.Kind == FirewallRuleFindingKind.Shadowed
            select $"{usage.Rule.Chain} {usage.Rule.Position}: {finding}");
        Assert.Equal([3], usages.Where(usage => usage.Rule.Chain == "input" && usage.Packets > 0).Select(usage => usage.Rule.Position));

        // Without a trial nothing is said to be shadowed, and a notice says why.
        Assert.All(counter.GetUsage().SelectMany(usage => usage.Findings), finding => Assert.NotEqual(FirewallRuleFindingKind.Shadowed, finding.Kind));
        Assert.Single(counter.Notices, notice => notice.StartsWith("Shadowed rules are not shown", StringComparison.Ordinal));
    }
}
