using System.Text.RegularExpressions;
using Conntracker.Core.Rulesets;
using Conntracker.Tests.Live.Support;
using Xunit;
using static Conntracker.FlowFamily;
using static Conntracker.FlowProtocol;

namespace Conntracker.Tests.Live.Tracing;

/// <summary>Rules in braces (<c>jump { … }</c>) are shown with their text, though nft prints neither their handles nor their chain's name.</summary>
public sealed partial class AnonymousChainTests
{
    private const int ClientPort = 40000;
    private const int ServerPort = 7000;

    [Fact]
    public void A_packet_shows_the_rules_in_braces_that_it_met_also_after_a_reload_and_in_a_replay()
    {
        using TestNetwork network = new();
        using CommandLine folder = new();
        string path = folder.PathOf("capture.rec");
        network.Firewall.LoadRules(Rules("first"));
        using LiveCapture live = LiveCapture.Start(
            new CaptureOptions { NetworkNamespace = network.Firewall.Name, Trace = TraceMode.Everything, RecordPath = path });

        Send(network, ClientPort);
        Expect(live, ClientPort, "first");
        network.Firewall.LoadRules($"flush ruleset\ntable ip other {{ chain c {{ accept; accept; }}\n}}\n{Rules("second")}");
        Send(network, ClientPort + 1);
        Expect(live, ClientPort + 1, "second");

        // Handles within the braces are not those right before the outer rule's.
        network.Firewall.LoadRules("insert rule inet firewall forward tcp dport { 1, 2 } jump { counter accept; ip daddr { 192.0.2.1, 192.0.2.9 } drop; }");
        Send(network, ClientPort + 2);
        Expect(live, ClientPort + 2, "second", position: 2);
        live.Stop();
        Assert.Empty(live.Notices);

        using LiveCapture replay = LiveCapture.Start(new CaptureOptions { ReplayPath = path });
        Assert.True(replay.Capture.Wait(TimeSpan.FromSeconds(20)));
        Expect(replay, ClientPort + 1, "second");
        Expect(replay, ClientPort + 2, "second", position: 2);
    }

    [Fact]
    public void Every_rule_in_braces_has_the_chain_and_the_handle_that_the_kernel_gave_it()
    {
        using TestNamespace host = new();
        host.LoadRules(Rules("a"));
        Compare(host, 8);
        host.LoadRules(
            "insert rule inet firewall forward ip saddr { 192.0.2.1, 192.0.2.7 } goto { counter comment \"x # handle 1\"; }\n"
            + "table ip6 six { chain base { jump { drop comment \"six 1\"; }\n"
            + "goto { log prefix \"jump {\" comment \"} six 2\"; tcp dport { 1, 3 } comment \"six 3\"; }\n}\n}\n");
        Compare(host, 12);
        host.LoadRules($"flush ruleset\n{Rules("b")}");
        Compare(host, 8);
    }

    [Fact]
    public void A_rule_that_adds_to_a_map_keeps_its_comment()
    {
        using TestNamespace host = new();
        host.LoadRules("""
            table ip t {
              map dynmark { typeof ip daddr : meta mark; flags timeout,dynamic; timeout 90s; }
              chain c { add @dynmark { 10.2.3.4 timeout 2s : 0x2 } comment "also check timeout-gc"; }
            }
            """);
        NftRuleset rules = NftRuleset.Parse(host.Do(NftRulesetReader.Read).Text);
        Assert.Equal("also check timeout-gc", Assert.Single(rules.Find("ip", "t", "c")!.Rules).Comment);
    }

    private static string Rules(string name) =>
        $$"""
        table inet firewall {
          chain services { udp sport { 1, 2 } drop; }
          chain forward {
            type filter hook forward priority filter; policy accept;
            meta l4proto { udp, tcp } jump {
              ip daddr { 192.0.2.1, 192.0.2.2 } drop comment "{{name}} } 1"
              udp dport { 7000, 7001 } counter comment "{{name}} 2"
              udp dport vmap { 9 : drop, 10 : drop } comment "{{name}} 3"
              log prefix "jump { " comment "{{name}} 4"
              udp dport 7000 jump services comment "{{name}} 5"
              meta mark 77 drop comment "{{name}} 6"
            } comment "{{name}} outer"
            goto {
              counter comment "{{name}} 7"
              accept comment "{{name}} 8"
            }
          }
        }
        """;

    private static void Send(TestNetwork network, int port) =>
        TestClient.Send(network.Client, Udp, TracedNetwork.ClientAt(IPv4, port), TracedNetwork.ServerAt(IPv4, ServerPort));

    private static void Expect(LiveCapture live, int port, string name, int position = 1)
    {
        string jump = $"ip daddr {{ 192.0.2.1, 192.0.2.2 }} drop comment \"{name} }} 1\"; udp dport {{ 7000, 7001 }} counter comment \"{name} 2\"; "
            + $"udp dport vmap {{ 9 : drop, 10 : drop }} comment \"{name} 3\"; log prefix \"jump {{ \" comment \"{name} 4\"; "
            + $"udp dport 7000 jump services comment \"{name} 5\"; meta mark 0x0000004d drop comment \"{name} 6\";";
        string expected =
            $"""
            inet firewall forward Rule {position} jump __chain: meta l4proto [ tcp, udp ] jump [ {jump} ] # {name} outer
            inet firewall __chain Rule 2 continue: udp dport [ 7000, 7001 ] counter # {name} 2
            inet firewall __chain Rule 4 continue: log prefix "jump [ " # {name} 4
            inet firewall __chain Rule 5 jump services: udp dport 7000 jump services # {name} 5
            inet firewall services Return 2 return
            inet firewall __chain Return 7 return
            inet firewall forward Rule {position + 1} goto __chain: goto [ counter comment "{name} 7"; accept comment "{name} 8"; ]
            inet firewall __chain Rule 1 continue: counter # {name} 7
            inet firewall __chain Rule 2 accept: accept # {name} 8
            """.Replace('[', '{').Replace(']', '}');
        Eventually.Equal(
            () => expected,
            () => string.Join('\n', live.Flows.Where(flow => flow.SrcPort == port).SelectMany(flow => flow.Trace).Select(Describe)));
    }

    private static string Describe(TraceStep step) => ChainNumber().Replace(TraceText.Of(step), "__chain");

    private static void Compare(TestNamespace host, int count)
    {
        // With this option nft prints each rule as the kernel has it: its handle, and its comment among the user data.
        string kernel = host.Run("nft", "--debug=netlink", "list", "ruleset");
        List<(string, string, ulong, string?)> expected = [];
        foreach (Match rule in KernelRule().Matches(kernel))
        {
            string comment = UserData().Match(rule.Value) is { Success: true } data ? data.Groups[1].Value : "";
            expected.Add((rule.Groups[1].Value, rule.Groups[2].Value, ulong.Parse(rule.Groups[3].Value, null), comment));
        }

        NftRuleset rules = NftRuleset.Parse(host.Do(NftRulesetReader.Read).Text);
        Assert.Equal(count, expected.Count(each => each.Item2.StartsWith("__chain", StringComparison.Ordinal)));
        Assert.Equal(
            expected.Where(each => each.Item2.StartsWith("__chain", StringComparison.Ordinal)).Order(),
            rules.Chains.Where(each => each.Name.StartsWith("__chain", StringComparison.Ordinal))
                .SelectMany(chain => chain.Rules.Select(rule => ($"{chain.Family} {chain.Table}", chain.Name, rule.Handle, rule.Comment))).Order());
    }

    [GeneratedRegex(@"__chain\d+")]
    private static partial Regex ChainNumber();

    [GeneratedRegex(@"^(\w+ \w+) (\w+) (\d+)[ \d]*\n(?:  .*\n)*", RegexOptions.Multiline)]
    private static partial Regex KernelRule();

    [GeneratedRegex(@"userdata = \{ \\x00\\x..(.*)\\x00 \}")]
    private static partial Regex UserData();
}
