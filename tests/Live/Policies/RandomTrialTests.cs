using System.Net;
using Conntracker.Tests.Live.Support;
using Xunit;

namespace Conntracker.Tests.Live.Policies;

/// <summary>What users would miss if it failed: the trial says what a first-match firewall does, whatever the ruleset.</summary>
public sealed class RandomTrialTests
{
    private const int Rules = 300;
    private const int Flows = 2000;

    public static TheoryData<RulesetFormat, string, bool> Cases => new()
    {
        { RulesetFormat.Nftables, "input", false },
        { RulesetFormat.Nftables, "input", true },
        { RulesetFormat.Nftables, "forward", false },
        { RulesetFormat.Nftables, "forward", true },
        { RulesetFormat.Iptables, "input", false },
        { RulesetFormat.Iptables, "forward", false },
        { RulesetFormat.Ip6tables, "input", true },
        { RulesetFormat.Ip6tables, "forward", true },
        { RulesetFormat.IptablesNft, "input", false },
        { RulesetFormat.IptablesNft, "forward", false },
        { RulesetFormat.Ip6tablesNft, "input", true },
        { RulesetFormat.Ip6tablesNft, "forward", true },
    };

    [Theory]
    [MemberData(nameof(Cases))]
    public void No_verdict_and_no_rule_differs_from_an_independent_model(RulesetFormat format, string hook, bool isIPv6)
    {
        int seed = Environment.TickCount;
        Random random = new(seed);
        RandomRuleset ruleset = new(random, Rules, hook, isIPv6);
        string text = format == RulesetFormat.Nftables ? ruleset.ToNft() : ruleset.ToIptables();
        RandomRuleset.Packet[] packets = [.. Enumerable.Range(0, Flows).Select(_ => Packet(random, hook, isIPv6))];
        using FirewallTrial trial = FirewallTrial.Start(new FirewallTrialOptions
        {
            Host = TrialHosts.Router(),
            Rulesets = [new RulesetSource { Format = format, Text = text }],
            Program = CommandLine.Program,
            TestsReplies = false,
        });

        FlowTest[] tests = [.. trial.Test(packets.Select(each =>
            TestFlows.Of(each.Protocol, each.Source.ToString(), each.Destination.ToString(), each.DestinationPort, each.SourcePort)))];

        string[] wrong = [.. packets.Zip(tests).Select(pair => Difference(ruleset, pair.First, pair.Second)).OfType<string>()];
        Assert.True(wrong.Length == 0, $"seed {seed}: {wrong.Length} of {Flows} differ; {string.Join("; ", wrong.Take(3))}\n{text}");
    }

    private static string? Difference(RandomRuleset ruleset, RandomRuleset.Packet packet, FlowTest test)
    {
        (string verdict, string decider) = ruleset.Decide(packet);
        string actual = test.Verdict switch
        {
            FlowVerdict.Accepted => "accept",
            FlowVerdict.Dropped => "drop",
            FlowVerdict.Rejected => "reject",
            _ => $"unknown ({test.Reason})",
        };
        string by = test.Rule is null ? "none" : $"{(test.Rule.Hook is null ? test.Rule.Chain : test.Rule.Chain.ToUpperInvariant())} {test.Rule.Position}";
        return (verdict, decider) == (actual, by) ? null : $"{packet}: {actual} by {by}, should be {verdict} by {decider}";
    }

    private static RandomRuleset.Packet Packet(Random random, string hook, bool isIPv6)
    {
        string destination = (hook, isIPv6) switch
        {
            ("input", false) => "198.51.100.2",
            ("input", true) => "2001:db8:b::2",
            (_, false) => "10.0.0.80",
            _ => "2001:db8:a::80",
        };
        return new RandomRuleset.Packet(
            random.Next(2) == 0 ? FlowProtocol.Tcp : FlowProtocol.Udp,
            IPAddress.Parse(isIPv6 ? $"2001:db8:99::{random.Next(256):x}" : $"203.0.113.{random.Next(256)}"),
            (ushort)random.Next(1000, 1140),
            IPAddress.Parse(destination),
            (ushort)random.Next(1000, 1140));
    }
}
