using System.Diagnostics;
using Conntracker.Core.Rulesets;
using Xunit;

namespace Conntracker.Tests.Unit;

/// <summary>A ruleset that was cut off or damaged costs what was damaged: never an exception, never an endless loop.</summary>
public sealed class DamagedRulesetTests
{
    private static readonly string[] s_texts = [RulesetFixture.Nftables,
        RulesetFixture.Iptables, RulesetFixture.IptablesWithCounters, RulesetFixture.Ip6tables];

    [Fact]
    public void Text_that_was_cut_off_anywhere_never_throws_and_keeps_what_stands_before()
    {
        int last = 0;
        for (int length = 0; length <= RulesetFixture.Nftables.Length; length += 7)
        {
            int count = ReadAll(RulesetFixture.Nftables.AsSpan(0, length));
            Assert.True(count >= last - 1, $"{count} rules after {length} characters, {last} before.");
            last = count;
        }

        for (int length = 0; length <= RulesetFixture.Iptables.Length; length++)
        {
            ReadAll(RulesetFixture.Iptables.AsSpan(0, length));
        }
    }

    [Fact]
    public void Damaged_text_never_throws()
    {
        const string Spice = "\"{}\\\n\t #'[]*:-;, \0é";
        Random random = new(20260102);
        for (int i = 0; i < 3000; i++)
        {
            string text = s_texts[i % s_texts.Length];
            int start = random.Next(text.Length);
            char[] damaged = text.Substring(start, Math.Min(text.Length - start, 4000)).ToCharArray();
            for (int changes = random.Next(1, 30); changes > 0; changes--)
            {
                damaged[random.Next(damaged.Length)] = Spice[random.Next(Spice.Length)];
            }

            ReadAll(damaged);
            ReadAll("table inet x {\n\tchain y {\n" + new string(damaged));
            ReadAll("*filter\n-A INPUT " + new string(damaged));
        }
    }

    [Theory]
    [InlineData("\t\t{ {\n")]
    [InlineData("\t\t\" # handle 5\n")]
    [InlineData("\t\tlog prefix \"\n")]
    [InlineData("-A INPUT \"\n")]
    [InlineData("-A INPUT \\\"\n")]
    [InlineData("\tchain x {\n")]
    public void Text_that_opens_again_and_again_and_never_closes_is_read_in_no_time(string line)
    {
        string many = string.Concat(Enumerable.Repeat(line, 2_000_000 / line.Length));
        long started = Stopwatch.GetTimestamp();
        ReadAll("table inet x {\n\tchain y {\n" + many);
        ReadAll("*filter\n" + many);
        Assert.InRange(Stopwatch.GetElapsedTime(started).TotalSeconds, 0, 5);
    }

    private static int ReadAll(ReadOnlySpan<char> text)
    {
        NftRuleset nftables = NftRuleset.Parse(text);
        IptablesRuleset iptables = IptablesRuleset.Parse(text);
        return nftables.Chains.Sum(each => each.Rules.Count) + iptables.Chains.Sum(each => each.Rules.Count);
    }
}
