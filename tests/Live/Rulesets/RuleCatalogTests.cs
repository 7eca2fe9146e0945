using System.Net;
using System.Text.Json;
using Conntracker.Core.Rulesets;
using Conntracker.Tests.Live.Support;
using Xunit;

namespace Conntracker.Tests.Live;

/// <summary>What the catalog says of a rule is what stands in the kernel, for both engines; and asking changes nothing.</summary>
public sealed class RuleCatalogTests
{
    private const string Rules = """
        table inet firewall {
          set admins { type ipv4_addr; elements = { 192.0.2.2, 192.0.2.3 }; }
          chain input {
            type filter hook input priority filter + 5; policy accept;
            iif "only-here" accept
            ct state vmap { established : accept, related : accept, invalid : drop }
            ip saddr @admins tcp dport 22 accept comment "office # handle 1 {"
            tcp dport { 80, 443 } counter accept
            jump services
          }
          chain services {
            tcp dport 23 reject with tcp reset
            log prefix "end { " drop comment "last"
          }
        }
        table ip6 filter {
          chain forward { type filter hook forward priority -10; policy drop; }
        }
        """;

    [Fact]
    public void Every_nftables_rule_has_the_handle_and_the_position_that_nft_tells_also_when_rules_come_and_go()
    {
        using TestNamespace host = new();
        Load(host);
        Assert.Equal(7, Compare(host));

        host.LoadRules("insert rule inet firewall input tcp dport 7 drop\nadd rule inet firewall services accept\n");
        Assert.Equal(9, Compare(host));

        NftRuleset rules = NftRuleset.Parse(host.Do(NftRulesetReader.Read).Text);
        NftChain input = rules.Find("inet", "firewall", "input")!;
        Assert.Equal(
            [
                "tcp dport 7 drop",
                "iif \"only-here\" accept",
                "ct state vmap { invalid : drop, established : accept, related : accept }",
                "ip saddr @admins tcp dport 22 accept",
                "tcp dport { 80, 443 } counter accept",
                "jump services",
            ],
            input.Rules.Select(each => each.Text));
        Assert.Equal(("filter", "input", "filter + 5", "accept"), (input.Type, input.Hook, input.Priority, input.Policy));
        Assert.Equal([true, false, false], rules.Find("inet", "firewall", "services")!.Rules.Select(each => each.Rejects));

        host.LoadRules($"delete rule inet firewall input handle {input.Rules[2].Handle}");
        Assert.Equal(8, Compare(host));
        host.LoadRules("flush ruleset");
        Assert.Equal(0, Compare(host));
    }

    [Fact]
    public void The_tables_of_running_captures_are_not_among_the_users_rules()
    {
        using TestNamespace host = new();
        Load(host);
        using LiveCapture one = LiveCapture.Start(host);
        using LiveCapture other = LiveCapture.Start(host);
        Assert.Contains("table inet conntracker_2 {", host.Run("nft", "list", "ruleset"), StringComparison.Ordinal);
        Assert.Equal(["firewall", "filter"], NftRuleset.Parse(host.Do(NftRulesetReader.Read).Text).Chains.Select(each => each.Table).Distinct());
    }

    [Fact]
    public void Legacy_rules_are_what_was_put_in_for_both_families()
    {
        using TestNamespace host = new();
        foreach (string iptables in (string[])["iptables-legacy", "ip6tables-legacy"])
        {
            host.Run(iptables, "-P", "FORWARD", "DROP");
            host.Run(iptables, "-N", "services");
            host.Run(iptables, "-A", "services", "-p", "tcp", "--dport", "22", "-m", "comment", "--comment", "no \"ssh\" -A INPUT", "-j", "REJECT");
            host.Run(iptables, "-A", "services", "-j", "RETURN");
            host.Run(iptables, "-A", "INPUT", "-i", "lo", "-g", "services");
            host.Run(iptables, "-I", "INPUT", "!", "-i", "lo", "-j", "services");
        }

        IptablesRulesetTexts texts = host.Do(IptablesRulesetReader.Read);
        foreach (string? text in (string?[])[texts.IPv4, texts.IPv6])
        {
            IptablesRuleset rules = IptablesRuleset.Parse(text);
            Assert.Equal("DROP", rules.Find("filter", "FORWARD")!.Policy);
            Assert.Equal(["1 jump services: ! -i lo -j services", "2 goto services: -i lo -g services"],
                rules.Find("filter", "INPUT")!.Rules.Select(each => $"{each.Position} {each.Verdict}: {each.Text}"));
            Assert.Equal(["reject", "return"], rules.Find("filter", "services")!.Rules.Select(each => each.Verdict));
            Assert.Equal("no \"ssh\" -A INPUT", rules.Find("filter", "services")!.Rules[0].Comment);
        }

        Assert.Contains("icmp6-port-unreachable", texts.IPv6!, StringComparison.Ordinal);
    }

    [Fact]
    public void Readers_stay_in_the_namespace_they_were_made_in_whoever_asks()
    {
        using TestNamespace host = new();
        UserRules.Load(host);
        using AutoResetEvent done = new(false);
        (NftRulesetReader nft, IptablesRulesetReader iptables) = host.Do(
            () => (new NftRulesetReader(null, () => done.Set()), new IptablesRulesetReader(() => done.Set())));
        using (nft)
        using (iptables)
        {
            nft.Request();
            Assert.True(done.WaitOne(TimeSpan.FromSeconds(30)));
            Assert.True(nft.TryTake(out NftRulesetText text), nft.Error);
            Assert.NotNull(NftRuleset.Parse(text.Text).Find("inet", "users", "services"));

            iptables.Request();
            Assert.True(done.WaitOne(TimeSpan.FromSeconds(30)));
            Assert.True(iptables.TryTake(out IptablesRulesetTexts texts), iptables.Error);
            Assert.Contains(":services - [0:0]", texts.IPv4!, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Asking_changes_no_rule_and_brings_no_legacy_table_into_the_kernel()
    {
        using TestNamespace host = new();
        Load(host);
        Assert.Equal(new IptablesRulesetTexts(null, null), host.Do(IptablesRulesetReader.Read));
        Assert.Null(host.Do(() => IptablesFingerprint.Read(FlowFamily.IPv4)));
        Assert.Null(host.Do(() => IptablesFingerprint.Read(FlowFamily.IPv6)));
        Assert.Empty(host.Do(() => IptablesTables.Names(FlowFamily.IPv4)));
        Assert.Empty(host.Do(() => IptablesTables.Names(FlowFamily.IPv6)));

        host.Run("iptables-legacy", "-A", "INPUT", "-j", "ACCEPT");
        host.Do(IptablesRulesetReader.Read);
        Assert.NotNull(host.Do(() => IptablesFingerprint.Read(FlowFamily.IPv4)));
        Assert.Equal(["filter"], host.Do(() => IptablesTables.Names(FlowFamily.IPv4)));

        host.Run("ip6tables-legacy", "-t", "raw", "-A", "OUTPUT", "-j", "ACCEPT");
        string before = UserRules.Show(host);
        host.Do(IptablesRulesetReader.Read);
        host.Do(NftRulesetReader.Read);
        host.Do(() => IptablesFingerprint.Read(FlowFamily.IPv6));
        Assert.Equal(before, UserRules.Show(host));
    }

    [Theory]
    [InlineData("iptables-legacy", FlowFamily.IPv4)]
    [InlineData("ip6tables-legacy", FlowFamily.IPv6)]
    public void The_fingerprint_tells_each_change_of_the_legacy_rules_and_nothing_else(string iptables, FlowFamily family)
    {
        using TestNamespace host = new();
        host.Run(iptables, "-A", "INPUT", "-i", "lo", "-m", "limit", "--limit", "1/sec", "-j", "ACCEPT");
        host.Run(iptables, "-A", "INPUT", "-m", "statistic", "--mode", "nth", "--every", "2", "--packet", "0", "-j", "ACCEPT");
        List<ulong?> seen = [Fingerprint()];

        foreach (string change in (string[])
        [
            "-A INPUT -p tcp --dport 22 -j DROP", "-I INPUT -p tcp --dport 22 -j ACCEPT",
            "-R INPUT 1 -p tcp --dport 23 -j ACCEPT", "-R INPUT 1 -p tcp --dport 23 -j DROP",
            "-R INPUT 1 -p tcp --dport 23 -m comment --comment x -j DROP", "-N services", "-A INPUT -j services", "-P FORWARD DROP", "-D INPUT 1",
            "-t nat -A POSTROUTING -o eth9 -j MASQUERADE", "-t nat -F", "-E services others", "-Z INPUT", "-F INPUT",
        ])
        {
            host.Run(iptables, change.Split(' '));
            ulong? now = Fingerprint();
            if (change.StartsWith("-Z", StringComparison.Ordinal))
            {
                Assert.Equal(seen[^1], now);
                continue;
            }

            Assert.True(!seen.Contains(now), $"{change}: {now} was seen before.");
            seen.Add(now);
        }

        ulong? Fingerprint()
        {
            ulong? before = host.Do(() => IptablesFingerprint.Read(family));
            string counted = host.Run($"{iptables}-save", "-c");
            IPAddress loopback = family == FlowFamily.IPv4 ? IPAddress.Loopback : IPAddress.IPv6Loopback;
            for (int i = 0; i < 3; i++)
            {
                host.Run("ping", "-c", "1", "-W", "1", loopback.ToString());
            }

            Assert.NotEqual(Counters(counted), Counters(host.Run($"{iptables}-save", "-c")));
            Assert.NotNull(before);
            Assert.Equal(before, host.Do(() =>
            {
                SpoilPooledBuffers();
                return IptablesFingerprint.Read(family);
            }));
            return before;
        }

        // The kernel does not write every byte of an answer: what is left in a buffer of the pool must not count.
        static void SpoilPooledBuffers()
        {
            for (int size = 1 << 10; size <= 1 << 16; size *= 2)
            {
                byte[] buffer = System.Buffers.ArrayPool<byte>.Shared.Rent(size);
                Array.Fill(buffer, (byte)0xa5);
                System.Buffers.ArrayPool<byte>.Shared.Return(buffer);
            }
        }

        static IEnumerable<string> Counters(string text) => text.Split('\n').Where(line => !line.StartsWith('#'));
    }

    // With an interface that no other namespace has: its name must be found where the rules are.
    private static void Load(TestNamespace host)
    {
        host.Run("ip", "link", "add", "only-here", "type", "veth", "peer", "name", "other-end");
        host.LoadRules(Rules);
    }

    // How many rules there are, after each of them was found as nft's JSON tells it.
    private static int Compare(TestNamespace host)
    {
        NftRuleset rules = NftRuleset.Parse(host.Do(NftRulesetReader.Read).Text);
        using JsonDocument document = JsonDocument.Parse(host.Run("nft", "-a", "-j", "list", "ruleset"));
        List<string> expected = [];
        Dictionary<string, int> positions = [];
        foreach (JsonElement each in document.RootElement.GetProperty("nftables").EnumerateArray())
        {
            if (each.TryGetProperty("rule", out JsonElement rule))
            {
                string chain = $"{rule.GetProperty("family")} {rule.GetProperty("table")} {rule.GetProperty("chain")}";
                positions[chain] = positions.GetValueOrDefault(chain) + 1;
                expected.Add($"{chain} {rule.GetProperty("handle")} #{positions[chain]} " +
                    $"{(rule.TryGetProperty("comment", out JsonElement comment) ? comment : null)}");
            }
        }

        Assert.Equal(
            expected,
            rules.Chains.SelectMany(chain =>
                chain.Rules.Select(rule => $"{chain.Family} {chain.Table} {chain.Name} {rule.Handle} #{rule.Position} {rule.Comment}")));
        return expected.Count;
    }
}
