using System.Net;
using Conntracker.Tests.Live.Support;
using Xunit;

namespace Conntracker.Tests.Live.Policies.Suggestions;

/// <summary>What users would miss if it failed: a policy that is made of seen traffic, tried and loaded, lets that traffic through and nothing else.</summary>
public sealed class PolicyLabTests
{
    private static readonly ushort[] s_ports = [22, 25, 80, 443, 3306];

    [Theory]
    [InlineData(FirewallPolicyFormat.Nftables)]
    [InlineData(FirewallPolicyFormat.Iptables)]
    public void What_was_seen_works_behind_the_policy_and_what_was_not_seen_does_not(FirewallPolicyFormat format)
    {
        using TrialLab lab = new(s_ports);
        List<(TestNamespace From, IPEndPoint To)> all = All(lab);
        List<(TestNamespace From, IPEndPoint To)> seen = [.. all.Where((_, number) => number % 3 == 0)];
        FirewallPolicy policy = FirewallPolicy.Suggest(Capture(lab, seen), new FirewallPolicyOptions { Format = format, MaximumWidening = 0 });

        Assert.Empty(policy.Prove(CommandLine.Program, TestContext.Current.CancellationToken).Unproved);
        Load(lab.Network.Firewall, policy);
        bool[] worked = lab.AssertSame(all, policy.Ruleset);

        Assert.All(all.Zip(worked), pair => Assert.True(pair.Second == seen.Contains(pair.First), $"{pair.First.To}: {pair.Second}\n{policy.Ruleset}"));
    }

    // Every port, from the client to the firewall and to the server, and from the firewall to the server, in both families.
    private static List<(TestNamespace From, IPEndPoint To)> All(TrialLab lab)
    {
        List<(TestNamespace From, IPEndPoint To)> all = [];
        foreach (FlowFamily family in new[] { FlowFamily.IPv4, FlowFamily.IPv6 })
        {
            foreach (ushort port in s_ports)
            {
                all.Add((lab.Network.Client, new IPEndPoint(TestNetwork.ClientSide.Firewall(family), port)));
                all.Add((lab.Network.Client, new IPEndPoint(TestNetwork.ServerSide.Host(family), port)));
                all.Add((lab.Network.Firewall, new IPEndPoint(TestNetwork.ServerSide.Host(family), port)));
            }
        }

        return all;
    }

    private static IReadOnlyList<Flow> Capture(TrialLab lab, List<(TestNamespace From, IPEndPoint To)> targets)
    {
        using LiveCapture capture = LiveCapture.Start(lab.Network.Firewall);
        Assert.All(lab.Connect(targets), Assert.True);
        Eventually.True(
            "every connection is seen and answered",
            () => capture.Flows.Count(each => each is { Protocol: FlowProtocol.Tcp, Confirmed: true }) == targets.Count);
        return capture.Flows;
    }

    private static void Load(TestNamespace where, FirewallPolicy policy)
    {
        foreach (RulesetSource source in policy.ToRulesets())
        {
            string program = source.Format switch
            {
                RulesetFormat.Nftables => "nft",
                RulesetFormat.Iptables => "iptables-legacy-restore",
                _ => "ip6tables-legacy-restore",
            };
            using Tool loader = where.Start(program, source.Format == RulesetFormat.Nftables ? ["-f", "-"] : []).Feed(source.Text!);
            ToolResult result = loader.Wait();
            Assert.True(result.ExitCode == 0, result.Error);
        }
    }
}
