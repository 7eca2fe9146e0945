using Conntracker.Core.Tracing;
using Xunit;
using static Conntracker.Core.Native.NftablesConstants;

namespace Conntracker.Tests.Unit;

/// <summary>Steps show the rule as it was when the packet passed, though the ruleset changes while packets pass.</summary>
public sealed class RuleGenerationTests : IDisposable
{
    private readonly TraceProbe _probe = new();

    public void Dispose() => _probe.Dispose();

    [Fact]
    public void A_rule_that_is_inserted_moves_the_positions_behind_it_from_then_on()
    {
        _probe.Rules(Rules("tcp dport 443 accept # handle 5"));
        Pass(5);
        _probe.Changed();
        _probe.Rules(Rules("tcp dport 25 drop # handle 6", "tcp dport 443 accept # handle 5"));
        Pass(5);
        Assert.Equal(["1: tcp dport 443 accept x1", "2: tcp dport 443 accept x1"], Steps());
    }

    [Fact]
    public void A_step_that_a_change_did_not_touch_stays_one_step()
    {
        _probe.Rules(Rules("tcp dport 443 accept # handle 5"));
        Pass(5);
        _probe.Changed();
        Pass(5);
        _probe.Rules(Rules("tcp dport 443 accept # handle 5", "tcp dport 25 drop # handle 6"));
        Pass(5);
        Assert.Equal(["1: tcp dport 443 accept x3"], Steps());
        Assert.Equal("inet fw forward #1: tcp dport 443 accept", _probe.Flow().VerdictRule);
    }

    [Fact]
    public void A_new_rule_has_its_text_as_soon_as_it_was_read()
    {
        _probe.Rules(Rules("tcp dport 443 accept # handle 5"));
        _probe.Changed();
        Pass(6);
        Assert.Equal([": x1"], Steps());
        _probe.Rules(Rules("tcp dport 443 accept # handle 5", "tcp dport 25 accept # handle 6"));
        Assert.Equal(["2: tcp dport 25 accept x1"], Steps());
    }

    [Fact]
    public void A_new_rule_that_packets_meet_before_its_change_is_told_has_its_text_too()
    {
        _probe.Rules(Rules("tcp dport 443 accept # handle 5"));
        Pass(6);
        _probe.Changed();
        _probe.Rules(Rules("tcp dport 443 accept # handle 5", "tcp dport 25 accept # handle 6"));
        Pass(6);
        Assert.Equal(["2: tcp dport 25 accept x2"], Steps());
    }

    [Fact]
    public void A_rule_that_was_deleted_before_the_rules_were_read_again_is_told_from_the_text_before()
    {
        _probe.Rules(Rules("tcp dport 443 accept # handle 5"));
        _probe.Changed();
        Pass(5);
        _probe.Rules(Rules());
        Assert.Equal(["1: tcp dport 443 accept x1"], Steps());
    }

    [Fact]
    public void A_change_while_the_rules_are_read_has_them_read_once_more_before_anything_is_concluded()
    {
        _probe.Rules(Rules("tcp dport 443 accept # handle 5"));
        _probe.Changed();
        _probe.Request();
        _probe.Changed();
        Pass(7);
        _probe.Text(Rules("tcp dport 25 drop # handle 6"));
        Assert.Equal([": x1"], Steps());
        Assert.True(_probe.Tracing.Rules.IsStale(RulesetKind.Nftables));
        _probe.Rules(Rules("tcp dport 25 drop # handle 6", "udp dport 53 accept # handle 7"));
        Assert.Equal(["2: udp dport 53 accept x1"], Steps());
        Assert.False(_probe.Tracing.Rules.IsStale(RulesetKind.Nftables));
    }

    [Fact]
    public void A_table_deleted_and_made_anew_gives_the_same_handles_to_other_rules()
    {
        _probe.Rules(Rules("tcp dport 443 accept # handle 5"));
        Pass(5);
        _probe.Changed(message: NFT_MSG_DELTABLE);
        _probe.Changed(message: NFT_MSG_NEWTABLE);
        Pass(5);
        _probe.Rules(Rules("udp dport 53 accept # handle 5"));
        Assert.Equal(["1: tcp dport 443 accept x1", "1: udp dport 53 accept x1"], Steps());
    }

    [Fact]
    public void A_drop_turns_out_to_be_a_reject_when_its_rule_is_read()
    {
        _probe.Rules(Rules());
        _probe.Changed();
        Pass(9, NF_DROP);
        Assert.Equal(FlowVerdict.Dropped, _probe.Flow().Verdict);
        _probe.Rules(Rules("reject # handle 9"));
        Assert.Equal((FlowVerdict.Rejected, "inet fw forward #1: reject"), (_probe.Flow().Verdict, _probe.Flow().VerdictRule));
    }

    [Fact]
    public void Our_own_table_and_elements_of_sets_are_no_change()
    {
        _probe.Rules(Rules("tcp dport 443 accept # handle 5"));
        _probe.Changed(table: "conntracker");
        _probe.Changed(table: "conntracker_2");
        _probe.Changed(message: 12);
        Assert.False(_probe.Tracing.Rules.IsStale(RulesetKind.Nftables));
        _probe.Changed(NFPROTO_IPV4, "conntracker");
        Assert.True(_probe.Tracing.Rules.IsStale(RulesetKind.Nftables));
    }

    [Fact]
    public void A_text_in_parts_is_one_text()
    {
        byte[] text = System.Text.Encoding.UTF8.GetBytes(Rules("tcp dport 443 accept # handle 5"));
        _probe.Request();
        _probe.Take(Core.Sources.FrameKind.NftablesRuleset, [0, .. text[..50]]);
        Assert.False(_probe.Tracing.Rules.IsCurrent(RulesetKind.Nftables));
        _probe.Take(Core.Sources.FrameKind.NftablesRuleset, [1, .. text[50..]]);
        Assert.Equal("tcp dport 443 accept", _probe.Tracing.Rules.FindRule("inet", "fw", "forward", 5)?.Text);
    }

    [Fact]
    public void Rules_that_change_all_the_time_do_not_make_steps_without_end()
    {
        NameTable names = new();
        RuleBook rules = new();
        StepTable steps = new(names, rules);
        StepKey Key(int number) => new(TraceEngine.Nftables, NFPROTO_INET, 0, names.Of("t"u8), names.Of("c"u8), TraceStepType.Rule, (ulong)number + 1, NF_ACCEPT, 0);
        for (int i = 0; i < StepTable.MaximumSteps; i++)
        {
            Assert.True(steps.Of(Key(i)) >= 0);
        }

        Assert.Equal(-1, steps.Of(Key(StepTable.MaximumSteps)));
        Assert.Equal(5, steps.Of(Key(5)));
        Assert.Equal(StepTable.MaximumSteps, steps.Count);
    }

    [Fact]
    public void A_rule_that_stays_while_others_change_all_the_time_stays_one_step_and_costs_no_memory()
    {
        const int Changes = StepTable.MaximumDuplicates * 10;
        string text = Rules("tcp dport 443 accept # handle 5");
        _probe.Rules(text);
        for (int i = 0; i < Changes; i++)
        {
            _probe.Changed();
            Pass(5);
            _probe.Rules(text);
        }

        Assert.Equal([$"1: tcp dport 443 accept x{Changes}"], Steps());
        Assert.Equal((FlowVerdict.Accepted, "inet fw forward #1: tcp dport 443 accept"), (_probe.Flow().Verdict, _probe.Flow().VerdictRule));
        Assert.InRange(_probe.Tracing.StepCount, 1, StepTable.MaximumDuplicates + 2);
    }

    private static string Rules(params string[] rules) =>
        $$"""
        table inet fw { # handle 1
        	chain forward { # handle 1
        		type filter hook forward priority filter; policy drop;
        {{string.Concat(rules.Select(rule => $"\t\t{rule}\n"))}}	}
        }
        """;

    private void Pass(ulong handle, int verdict = NF_ACCEPT) => _probe.Packet(ct: 7).First().Tracked().Rule("inet fw forward", handle, verdict).Last();

    private string[] Steps() => [.. _probe.Flow().Trace.Select(step => $"{step.Position}: {step.Rule}".TrimEnd() + $" x{step.Packets}")];
}
