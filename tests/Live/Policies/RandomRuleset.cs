using System.Globalization;
using System.Net;
using System.Text;

namespace Conntracker.Tests.Live.Policies;

/// <summary>
/// A random ruleset of one filter hook, written for each engine, and a model of it: the first rule that matches decides. The model shares no code with
/// the product.
/// </summary>
internal sealed class RandomRuleset
{
    private const int UserChains = 4;

    private readonly List<Rule>[] _chains;
    private readonly string _policy;
    private readonly bool _isIPv6;
    private readonly string _hook;

    /// <param name="random">Where the rules come from.</param>
    /// <param name="rules">How many rules there are in all chains together.</param>
    /// <param name="hook"><c>input</c> or <c>forward</c>.</param>
    /// <param name="isIPv6">Whether addresses are of IPv6.</param>
    public RandomRuleset(Random random, int rules, string hook, bool isIPv6)
    {
        _hook = hook;
        _isIPv6 = isIPv6;
        _policy = random.Next(2) == 0 ? "accept" : "drop";
        _chains = [.. Enumerable.Range(0, UserChains + 1).Select(_ => new List<Rule>())];
        for (int i = 0; i < rules; i++)
        {
            // A user chain jumps only to those after it, so that there is no circle.
            int chain = random.Next(2) == 0 ? 0 : random.Next(UserChains + 1);
            _chains[chain].Add(Rule.New(random, chain, UserChains, isIPv6));
        }
    }

    /// <summary>The verdict and the decider, <c>chain position</c>, of a packet.</summary>
    public (string Verdict, string Decider) Decide(Packet packet) =>
        Walk(0, packet) ?? (_policy, $"{Name(0, isNft: false)} {_chains[0].Count + 1}");

    /// <summary>The ruleset for nft.</summary>
    public string ToNft()
    {
        StringBuilder text = new("table inet filter {\n");
        for (int i = UserChains; i >= 0; i--)
        {
            text.Append(CultureInfo.InvariantCulture, $" chain {Name(i, isNft: true)} {{\n");
            text.Append(i == 0 ? $"  type filter hook {_hook} priority 0; policy {_policy};\n" : "");
            foreach (Rule rule in _chains[i])
            {
                text.Append("  ").Append(rule.ToNft(_isIPv6)).Append('\n');
            }

            text.Append(" }\n");
        }

        return text.Append("}\n").ToString();
    }

    /// <summary>The ruleset for iptables-restore.</summary>
    public string ToIptables()
    {
        StringBuilder text = new("*filter\n:INPUT ACCEPT [0:0]\n:FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n");
        text.Replace($":{_hook.ToUpperInvariant()} ACCEPT", $":{_hook.ToUpperInvariant()} {_policy.ToUpperInvariant()}");
        for (int i = 1; i <= UserChains; i++)
        {
            text.Append(CultureInfo.InvariantCulture, $":{Name(i, isNft: false)} - [0:0]\n");
        }

        for (int i = 0; i <= UserChains; i++)
        {
            foreach (Rule rule in _chains[i])
            {
                text.Append(CultureInfo.InvariantCulture, $"-A {Name(i, isNft: false)} {rule.ToIptables(_isIPv6)}\n");
            }
        }

        return text.Append("COMMIT\n").ToString();
    }

    private (string, string)? Walk(int chain, Packet packet)
    {
        for (int i = 0; i < _chains[chain].Count; i++)
        {
            Rule rule = _chains[chain][i];
            if (!rule.Matches(packet))
            {
                continue;
            }

            if (rule.Verdict == "return")
            {
                return null;
            }

            if (rule.Verdict != "jump")
            {
                return (rule.Verdict, $"{Name(chain, isNft: false)} {i + 1}");
            }

            if (Walk(rule.Target, packet) is (string, string) inner)
            {
                return inner;
            }
        }

        return null;
    }

    private string Name(int chain, bool isNft) =>
        chain > 0 ? string.Create(CultureInfo.InvariantCulture, $"c{chain}") : isNft ? _hook : _hook.ToUpperInvariant();

    /// <summary>What rules look at.</summary>
    public sealed record Packet(FlowProtocol Protocol, IPAddress Source, ushort SourcePort, IPAddress Destination, ushort DestinationPort);

    private sealed record Rule(
        FlowProtocol? Protocol,
        (uint Net, int Length)? Source,
        (ushort First, ushort Last)? Ports,
        (ushort First, ushort Last)? SourcePorts,
        string Verdict,
        int Target)
    {
        private string ProtocolName => Protocol == FlowProtocol.Tcp ? "tcp" : "udp";

        public static Rule New(Random random, int chain, int last, bool isIPv6)
        {
            FlowProtocol? protocol = random.Next(4) == 0 ? null : random.Next(2) == 0 ? FlowProtocol.Tcp : FlowProtocol.Udp;
            int length = random.Next(4, 9);
            string[] verdicts = chain == 0 ? ["accept", "drop", "reject", "jump"]
                : chain == last ? ["accept", "drop", "return"]
                : ["accept", "drop", "return", "jump"];
            string verdict = verdicts[random.Next(verdicts.Length)];
            return new Rule(
                protocol,
                random.Next(3) == 0 ? null : ((uint)random.Next(256) >> (8 - length) << (8 - length), length),
                protocol is null || random.Next(4) == 0 ? null : Range(random),
                protocol is null || random.Next(4) > 0 ? null : Range(random),
                verdict,
                verdict == "jump" ? random.Next(chain + 1, last + 1) : 0);
        }

        public bool Matches(Packet packet) =>
            (Protocol is null || Protocol == packet.Protocol)
            && (Source is not (uint net, int length) || (uint)(packet.Source.GetAddressBytes()[^1] >> (8 - length) << (8 - length)) == net)
            && (Ports is not (ushort first, ushort last) || (packet.DestinationPort >= first && packet.DestinationPort <= last))
            && (SourcePorts is not (ushort from, ushort to) || (packet.SourcePort >= from && packet.SourcePort <= to));

        public string ToNft(bool isIPv6) => string.Join(' ', new[]
        {
            Source is (uint net, int length) ? $"{(isIPv6 ? "ip6" : "ip")} saddr {Prefix(net, length, isIPv6)}" : null,
            Protocol is not null && Ports is null && SourcePorts is null ? $"meta l4proto {ProtocolName}" : null,
            SourcePorts is (ushort from, ushort to) ? $"{ProtocolName} sport {from}-{to}" : null,
            Ports is (ushort first, ushort last) ? $"{ProtocolName} dport {first}-{last}" : null,
            "counter",
            Verdict == "jump" ? $"jump c{Target}" : Verdict,
        }.Where(each => each is not null));

        public string ToIptables(bool isIPv6) => string.Join(' ', new[]
        {
            Source is (uint net, int length) ? $"-s {Prefix(net, length, isIPv6)}" : null,
            Protocol is not null ? $"-p {ProtocolName} -m {ProtocolName}" : null,
            SourcePorts is (ushort from, ushort to) ? $"--sport {from}:{to}" : null,
            Ports is (ushort first, ushort last) ? $"--dport {first}:{last}" : null,
            $"-j {(Verdict == "jump" ? $"c{Target}" : Verdict.ToUpperInvariant())}",
        }.Where(each => each is not null));

        private static string Prefix(uint net, int length, bool isIPv6) =>
            isIPv6 ? $"2001:db8:99::{net:x}/{120 + length}" : $"203.0.113.{net}/{24 + length}";

        private static (ushort, ushort) Range(Random random)
        {
            ushort first = (ushort)random.Next(1000, 1100);
            return (first, (ushort)(first + random.Next(1, 40)));
        }
    }
}
