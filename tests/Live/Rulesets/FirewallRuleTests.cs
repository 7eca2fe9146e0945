using System.Globalization;
using System.Text.Json;
using Xunit;

namespace Conntracker.Tests.Live;

/// <summary>The rules as objects are what nft and iptables-legacy-save show, and reading them changes nothing.</summary>
public sealed class FirewallRuleTests
{
    private const string Nftables = """
        table inet firewall {
          set admins { type ipv4_addr; elements = { 192.0.2.2, 192.0.2.3 }; }
          chain input {
            type filter hook input priority filter + 5; policy drop;
            ct state vmap { established : accept, related : accept, invalid : drop }
            ip saddr @admins tcp dport 22 accept comment "office # handle 1 {"
            tcp dport { 80, 443 } counter accept
            jump services
            ct state new jump { tcp dport 7 accept; drop; }
          }
          chain services {
            tcp dport 23 reject with tcp reset
            log prefix "end { " drop comment "last"
          }
        }
        table ip6 filter {
          chain forward { type filter hook forward priority -10; policy drop; }
        }
        table bridge b {
          chain c { type filter hook input priority 0; ether type ip accept; }
        }
        """;

    [Fact]
    public void Every_rule_and_policy_of_nftables_is_the_one_that_its_JSON_shows()
    {
        using TestNamespace host = new();
        host.LoadRules(Nftables);
        string before = host.Run("nft", "-a", "list", "ruleset");
        IReadOnlyList<FirewallRule> rules = FirewallRules.Read(host.Name);
        Assert.Equal(before, host.Run("nft", "-a", "list", "ruleset"));

        List<string> expected = [];
        using JsonDocument json = JsonDocument.Parse(host.Run("nft", "-j", "-a", "list", "ruleset"));
        Dictionary<string, int> positions = [];
        foreach (JsonElement item in json.RootElement.GetProperty("nftables").EnumerateArray())
        {
            if (item.TryGetProperty("rule", out JsonElement rule))
            {
                string chain = $"{rule.GetProperty("family")} {rule.GetProperty("table")} {rule.GetProperty("chain")}";
                int position = positions[chain] = positions.GetValueOrDefault(chain) + 1;
                string comment = rule.TryGetProperty("comment", out JsonElement text) ? text.GetString()! : "";
                expected.Add(string.Create(CultureInfo.InvariantCulture, $"{chain} {position} {rule.GetProperty("handle").GetUInt64()} {comment}"));
            }
            else if (item.TryGetProperty("chain", out JsonElement chain) && chain.TryGetProperty("policy", out JsonElement policy))
            {
                string where = $"{chain.GetProperty("family")} {chain.GetProperty("table")} {chain.GetProperty("name")}";
                expected.Add($"{where} policy {policy} {chain.GetProperty("hook")}");
            }
        }

        Assert.Equal(
            expected.Order(StringComparer.Ordinal),
            rules.Where(rule => !rule.Chain.StartsWith("__chain", StringComparison.Ordinal)).Select(rule => rule.Type == TraceStepType.Policy
                ? $"{rule.Family} {rule.Table} {rule.Chain} {rule.Text} {rule.Hook}"
                : $"{rule.Family} {rule.Table} {rule.Chain} {rule.Position} {rule.Handle} {rule.Comment}").Order(StringComparer.Ordinal));
        Assert.Equal(
            ["tcp dport 7 accept", "drop"],
            rules.Where(rule => rule.Chain.StartsWith("__chain", StringComparison.Ordinal)).Select(rule => rule.Text));

        // nft accepts each text as a rule of its chain.
        foreach (FirewallRule rule in rules.Where(
            rule => rule.Type == TraceStepType.Rule && rule.Hook is not null && !rule.Text.Contains("jump {", StringComparison.Ordinal)))
        {
            using Tool nft = host.Start("nft", "-c", "-f", "-").Feed($"add rule {rule.Family} {rule.Table} {rule.Chain} {rule.Text}\n");
            Assert.Equal((0, ""), (nft.Wait().ExitCode, nft.Error));
        }
    }

    [Theory]
    [InlineData("iptables-legacy", "ip")]
    [InlineData("ip6tables-legacy", "ip6")]
    public void Every_rule_and_policy_of_iptables_legacy_is_the_one_that_its_save_shows(string program, string family)
    {
        using TestNamespace host = new();
        host.Run(program, "-N", "services");
        host.Run(program, "-P", "FORWARD", "DROP");
        host.Run(program, "-A", "INPUT", "-p", "tcp", "--dport", "22", "-m", "comment", "--comment", "two words", "-j", "services");
        host.Run(program, "-A", "INPUT", "-p", "udp", "-j", "REJECT");
        host.Run(program, "-A", "services", "-j", "RETURN");
        string before = host.Run($"{program}-save");

        IReadOnlyList<FirewallRule> rules = FirewallRules.Read(host.Name);
        Assert.All(rules, rule => Assert.Equal((TraceEngine.Iptables, family, "filter"), (rule.Engine, rule.Family, rule.Table)));
        Assert.Equal(
            before.Split('\n').Where(line => line.StartsWith("-A ", StringComparison.Ordinal)),
            rules.Where(rule => rule.Type == TraceStepType.Rule).Select(rule => $"-A {rule.Chain} {rule.Text}"));
        Assert.Equal(
            before.Split('\n').Where(line => line.StartsWith(':') && !line.Contains(" - ", StringComparison.Ordinal)).Select(
                line => string.Join(' ', line[1..].Split(' ')[..2])),
            rules.Where(rule => rule.Type == TraceStepType.Policy).Select(rule => $"{rule.Chain} {rule.Verdict!.ToUpperInvariant()}"));
        Assert.Equal(["jump services", "reject", "return"], rules.Where(rule => rule.Type == TraceStepType.Rule).Select(rule => rule.Verdict));

        // Reading has created no other table.
        Assert.Equal("filter\n", host.Do(() => File.ReadAllText($"/proc/thread-self/net/{(family == "ip" ? "ip" : "ip6")}_tables_names")));
        Assert.Equal("", host.Do(() => File.ReadAllText($"/proc/thread-self/net/{(family == "ip" ? "ip6" : "ip")}_tables_names")));
    }
}
