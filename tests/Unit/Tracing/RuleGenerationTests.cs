using Conntracker.Core.Rulesets;
using Conntracker.Core.Tracing;
using Conntracker.Core.Tracing.Nftables;
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
        Remake(2);
        Pass(5);
        _probe.Rules(Rules(2, "udp dport 53 accept # handle 5"));
        Assert.Equal(["1: tcp dport 443 accept x1", "1: udp dport 53 accept x1"], Steps());
    }

    [Fact]
    public void A_table_made_again_twice_between_two_readings_never_gives_its_steps_the_text_of_the_last_one()
    {
        _probe.Rules(Rules("tcp dport 443 accept # handle 5"));
        Remake(2);
        Pass(5);
        Remake(3);
        _probe.Rules(Rules(3, "udp dport 53 accept # handle 5"));
        Assert.Equal([": x1"], Steps());
        Assert.Equal("inet fw forward handle 5", _probe.Flow().VerdictRule);
        Pass(5);
        Assert.Equal([": x1", "1: udp dport 53 accept x1"], Steps());
    }

    [Fact]
    public void A_table_made_again_while_the_rules_are_read_does_not_lend_its_text_to_what_was_reported_before()
    {
        _probe.Rules(Rules());
        _probe.Changed();
        Pass(5);
        _probe.Request();
        Remake(2);
        _probe.Text(Rules(2, "udp dport 53 accept # handle 5"));
        Assert.Equal([": x1"], Steps());
    }

    [Fact]
    public void The_text_from_before_is_that_of_a_table_that_was_replaced_and_not_of_the_table_that_replaced_it()
    {
        _probe.Rules(Rules("tcp dport 443 accept # handle 5"));
        _probe.Changed();
        Pass(5);
        Remake(2);
        Pass(5);
        _probe.Rules(Rules(2));
        Assert.Equal(["1: tcp dport 443 accept x1", ": x1"], Steps());
    }

    [Theory]
    [InlineData(1, "1: tcp dport 443 accept")]
    [InlineData(2, ":")]
    public void What_is_reported_before_the_first_reading_has_its_text_unless_the_table_was_replaced_by_then(int table, string step)
    {
        _probe.BaseChains.Add("inet fw forward");
        _probe.Request();
        Pass(5);
        _probe.Changed(table: "other", message: NFT_MSG_NEWTABLE, handle: 9);
        if (table != 1)
        {
            Remake((ulong)table);
        }

        _probe.Text(Rules(table, "tcp dport 443 accept # handle 5"));
        _probe.Rules(Rules(table, "tcp dport 443 accept # handle 5"));
        Assert.Equal([$"{step} x1"], Steps());
    }

    [Fact]
    public void A_table_whose_flags_change_stays_the_same_table()
    {
        _probe.Rules(Rules("tcp dport 443 accept # handle 5"));
        _probe.Changed(message: NFT_MSG_NEWTABLE, handle: 1);
        Pass(5);
        _probe.Rules(Rules("tcp dport 443 accept # handle 5"));
        Assert.Equal(["1: tcp dport 443 accept x1"], Steps());
    }

    [Fact]
    public void A_packet_that_meets_a_new_table_before_it_is_reported_has_that_tables_text()
    {
        _probe.Rules(Rules("tcp dport 443 accept # handle 5"));
        Pass(6);
        Remake(2);
        _probe.Rules(Rules(2, "udp dport 53 accept # handle 6"));
        Assert.Equal(["1: udp dport 53 accept x1"], Steps());
    }

    [Fact]
    public void What_comes_late_from_a_deleted_table_does_not_get_the_text_of_the_next_one()
    {
        _probe.Rules(Rules("tcp dport 443 accept # handle 5"));
        _probe.Changed(message: NFT_MSG_DELTABLE);
        Pass(5);
        Remake(2);
        _probe.Rules(Rules(2, "udp dport 53 accept # handle 5"));
        Assert.Equal([": x1"], Steps());
    }

    [Theory]
    [InlineData(1, "1: tcp dport 25 accept")]
    [InlineData(2, ":")]
    public void After_reports_were_lost_a_text_counts_only_when_the_table_is_still_the_same(int table, string step)
    {
        _probe.Rules(Rules("tcp dport 443 accept # handle 5"));
        _probe.Take(Conntracker.Core.Recording.MessageKind.NftablesTraceLost, BitConverter.GetBytes(1L));
        Pass(6);
        _probe.Rules(Rules(table, "tcp dport 25 accept # handle 6"));
        Assert.Equal([$"{step} x1"], Steps());

        Pass(6);
        Assert.Equal("1: tcp dport 25 accept", Steps()[^1][..^3]);
    }

    [Fact]
    public void A_base_chain_made_again_at_another_hook_does_not_lend_its_hook_to_what_was_reported_before()
    {
        _probe.Rules(Rules("tcp dport 443 accept # handle 5"));
        _probe.Changed();
        Pass(5);
        _probe.Changed(message: NFT_MSG_DELCHAIN, isCommitted: false);
        _probe.Changed(message: NFT_MSG_NEWCHAIN, handle: 7);
        Pass(5);
        _probe.Rules(Rules("tcp dport 443 accept # handle 5")
            .Replace("hook forward", "hook input", StringComparison.Ordinal)
            .Replace("forward { # handle 1", "forward { # handle 7", StringComparison.Ordinal));
        Assert.Equal(["forward", "input"], _probe.Flow().Trace.Select(step => step.Hook));
    }

    [Fact]
    public void Tables_and_chains_without_end_are_not_remembered_without_end()
    {
        RuleEpochs epochs = new();
        for (int i = 0; i < RuleEpochs.MaximumTables * 3; i++)
        {
            byte[] name = System.Text.Encoding.UTF8.GetBytes($"t{i}");
            RulesetChange made = new() { Kind = RulesetChangeKind.TableMade, Family = NFPROTO_INET, Table = name, Handle = (ulong)i + 1 };
            epochs.Take(ref made);
            Assert.Equal((ulong)i + 1, epochs.Of("inet", $"t{i}", baseChain: null).Table);
            RulesetChange deleted = new() { Kind = RulesetChangeKind.TableDeleted, Family = NFPROTO_INET, Table = name };
            epochs.Take(ref deleted);
        }

        Assert.InRange(epochs.Count, 1, RuleEpochs.MaximumTables);
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
        _probe.Take(Conntracker.Core.Recording.MessageKind.NftablesRuleset, [0, .. text[..50]]);
        Assert.False(_probe.Tracing.Rules.IsCurrent(RulesetKind.Nftables));
        _probe.Take(Conntracker.Core.Recording.MessageKind.NftablesRuleset, [1, .. text[50..]]);
        Assert.Equal("tcp dport 443 accept", _probe.Tracing.Rules.FindRule("inet", "fw", "forward", 5, new RuleEpoch(1, null, IsSure: true))?.Text);
    }

    [Fact]
    public void Rules_that_change_all_the_time_do_not_make_steps_without_end()
    {
        StringPool names = new();
        RuleBook rules = new();
        StepTable steps = new(names, rules);
        StepKey Key(int number) =>
            new(TraceEngine.Nftables, NFPROTO_INET, 0, names.Of("t"u8), names.Of("c"u8), TraceStepType.Rule, (ulong)number + 1, NF_ACCEPT, 0);
        for (int i = 0; i < StepIds.Maximum; i++)
        {
            Assert.True(steps.Of(Key(i)) >= 0);
        }

        Assert.Equal(-1, steps.Of(Key(StepIds.Maximum)));
        Assert.Equal(5, steps.Of(Key(5)));
        Assert.Equal(StepIds.Maximum, steps.Count);
    }

    [Fact]
    public void A_rule_that_stays_while_others_change_all_the_time_stays_one_step_and_costs_no_memory()
    {
        const int Changes = StepIds.MaximumDuplicates * 10;
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
        Assert.InRange(_probe.Tracing.StepCount, 1, StepIds.MaximumDuplicates + 2);
    }

    private static string Rules(params string[] rules) => Rules(1, rules);

    private static string Rules(int table, params string[] rules) =>
        $$"""
        table inet fw { # handle {{table}}
        	chain forward { # handle 1
        		type filter hook forward priority filter; policy drop;
        {{string.Concat(rules.Select(rule => $"\t\t{rule}\n"))}}	}
        }
        """;

    // The table is deleted and made again, in one transaction.
    private void Remake(ulong handle)
    {
        _probe.Changed(message: NFT_MSG_DELCHAIN, isCommitted: false);
        _probe.Changed(message: NFT_MSG_DELTABLE, isCommitted: false);
        _probe.Changed(message: NFT_MSG_NEWTABLE, handle: handle, isCommitted: false);
        _probe.Changed(message: NFT_MSG_NEWCHAIN, handle: 1, isCommitted: false);
        _probe.Changed();
    }

    private void Pass(ulong handle, int verdict = NF_ACCEPT) => _probe.Packet(ct: 7).First().Tracked().Rule("inet fw forward", handle, verdict).Last();

    private string[] Steps() => [.. _probe.Flow().Trace.Select(step => $"{step.Position}: {step.Rule}".TrimEnd() + $" x{step.Packets}")];
}
