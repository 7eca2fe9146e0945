using System.Net;
using Xunit;

namespace Conntracker.Tests.Unit.Policies.Suggestions;

/// <summary>Random flows: what was seen is accepted, and beyond it no more than the rules declare, by two models that read the texts.</summary>
public class RandomPolicyTests
{
    private const int Hosts = 32;
    private const int FirstPort = 20;
    private const int Ports = 4;

    private static readonly FlowProtocol[] s_protocols = [FlowProtocol.Tcp, FlowProtocol.Udp];
    private static readonly string[] s_own = ["192.0.2.1", "192.0.2.2"];

    public static TheoryData<int, double> Cases
    {
        get
        {
            TheoryData<int, double> cases = [];
            double[] limits = [0, 3, 40, 256, 100_000];
            for (int seed = 0; seed < 20; seed++)
            {
                cases.Add(seed, limits[seed % limits.Length]);
            }

            return cases;
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void What_was_seen_is_accepted_and_beyond_it_no_more_than_the_rules_declare(int seed, double maximumWidening)
    {
        Random random = new(seed);
        bool isIPv6 = seed % 3 == 2;
        Flow[] flows = [.. Enumerable.Range(0, random.Next(1, 200)).Select(_ => RandomFlow(random, isIPv6))];
        FirewallPolicyOptions options =
            new() { MaximumWidening = maximumWidening, OwnAddresses = [.. s_own.Select(each => IPAddress.Parse(Address(each, isIPv6)))] };
        FirewallPolicy policy = FirewallPolicy.Suggest(flows, options);
        NftModel nft = new(policy.ToText(FirewallPolicyFormat.Nftables));
        IptablesModel both = new(policy.ToText(FirewallPolicyFormat.Iptables), isIPv6);

        Assert.Empty(policy.Omitted);
        Assert.Equal(flows.Length, policy.Flows);
        Assert.All(policy.Rules, each => Assert.True(each.Widening <= maximumWidening, $"{each}: {each.Widening}"));
        HashSet<FilterPacket> seen = [.. flows.Select(FilterPacket.Of).Select(Matter)];
        Assert.All(seen, each => Assert.True(nft.Accepts(each) && both.Accepts(each), $"{each}\n{policy}"));

        int accepted = 0;
        foreach (FilterPacket packet in Universe(isIPv6))
        {
            bool isAccepted = nft.Accepts(packet);
            Assert.Equal(isAccepted, both.Accepts(packet));
            accepted += isAccepted ? 1 : 0;
        }

        double declared = policy.Rules.Sum(each => each.Widening);
        Assert.True(accepted - seen.Count <= declared, $"{accepted} accepted, {seen.Count} seen, {declared} declared\n{policy}");
        if (maximumWidening == 0)
        {
            Assert.Equal(seen.Count, accepted);
        }
    }

    // Of what a host sends, its own address does not matter to rules.
    private static FilterPacket Matter(FilterPacket packet) => packet.Chain == "output"
        ? packet with { Src = packet.IsIPv6 ? IPAddress.IPv6Any : IPAddress.Any }
        : packet;

    private static Flow RandomFlow(Random random, bool isIPv6)
    {
        // Few hosts and services, so that some have them in common.
        string host = Host(random.Next(3) == 0 ? random.Next(Hosts) : 8 + random.Next(8), isIPv6);
        string other = Host(random.Next(Hosts), isIPv6);
        string own = Address(s_own[random.Next(4) == 0 ? 1 : 0], isIPv6);
        int port = FirstPort + random.Next(Ports);
        FlowProtocol protocol = s_protocols[random.Next(s_protocols.Length)];
        return random.Next(3) switch
        {
            0 => PolicyFlow.In(host, own, port, protocol),
            1 => PolicyFlow.Out(own, host, port, protocol),
            _ => PolicyFlow.Forward(host, other, port, protocol),
        };
    }

    // All that joining could reach: it stays within the common prefix of the hosts.
    private static IEnumerable<FilterPacket> Universe(bool isIPv6)
    {
        IPAddress[] hosts = [.. Enumerable.Range(0, Hosts).Select(each => IPAddress.Parse(Host(each, isIPv6)))];
        IPAddress[] own = [.. s_own.Select(each => IPAddress.Parse(Address(each, isIPv6)))];
        IPAddress any = isIPv6 ? IPAddress.IPv6Any : IPAddress.Any;
        return from chain in new[] { "input", "output", "forward" }
               from protocol in s_protocols
               from port in Enumerable.Range(FirstPort - 1, Ports + 2)
               from source in chain == "output" ? [any] : hosts
               from destination in chain == "input" ? own : hosts
               select new FilterPacket(chain, source, destination, protocol, 40000, port);
    }

    private static string Host(int number, bool isIPv6) => isIPv6 ? $"2001:db8:1::{number:x}" : $"10.0.0.{number}";

    private static string Address(string own, bool isIPv6) => isIPv6 ? $"2001:db8:2::{own[^1]}" : own;
}
