using System.Text;
using Conntracker.Core.Native;
using Conntracker.Core.Rulesets;
using Conntracker.Core.Tracing;
using Xunit;

namespace Conntracker.Tests.Unit;

/// <summary>When a table is deleted and made again, handles begin again: a drop must not be shown with the text of a rule that accepts.</summary>
public sealed class RuleVerdictTests
{
    [Theory]
    [InlineData("tcp dport 22 accept", NftablesConstants.NF_DROP, false)]
    [InlineData("udp dport 5555 drop", NftablesConstants.NF_DROP, true)]
    [InlineData("udp dport 5555 drop", NftablesConstants.NF_ACCEPT, false)]
    [InlineData("tcp dport 22 reject", NftablesConstants.NF_ACCEPT, false)]
    [InlineData("tcp dport 22 reject", NftablesConstants.NF_DROP, true)]
    [InlineData("jump accept", NftablesConstants.NFT_JUMP, true)]
    [InlineData("jump drop", NftablesConstants.NF_DROP, false)]
    [InlineData("log prefix \"x accept\"", NftablesConstants.NFT_CONTINUE, true)]
    [InlineData("tcp dport vmap { 22 : accept, 23 : drop }", NftablesConstants.NF_DROP, true)]
    public void A_step_has_the_text_of_a_rule_only_when_that_rule_can_have_given_its_verdict(string text, int verdict, bool isShown)
    {
        StringPool names = new();
        RuleBook rules = new();
        rules.Request(RulesetKind.Nftables);
        string ruleset = $"table inet fw {{ # handle 1\n\tchain in {{ # handle 1\n\t\ttype filter hook input priority filter; " +
            $"policy accept;\n\t\t{text} # handle 2\n\t}}\n}}\n";
        Assert.True(rules.Take(RulesetKind.Nftables, Encoding.UTF8.GetBytes(ruleset), isLast: true));
        StepKey key = new(TraceEngine.Nftables, NftablesConstants.NFPROTO_INET, 0, names.Of("fw"u8), names.Of("in"u8), TraceStepType.Rule, 2, verdict, 0);

        Step step = new StepResolver(names, rules).Resolve(in key, default, new RuleEpoch(1, null, IsSure: true));

        Assert.Equal(isShown ? text : null, step.View.Rule);
    }
}
