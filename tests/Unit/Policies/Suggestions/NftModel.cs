using System.Globalization;
using System.Net;
using System.Text.RegularExpressions;
using Xunit;

namespace Conntracker.Tests.Unit.Policies.Suggestions;

/// <summary>
/// What the text of a policy does to a new connection's first packet: the first rule that matches decides. It knows the words that policies use, and
/// fails at any other. It shares no code with the engine.
/// </summary>
internal sealed partial class NftModel
{
    private readonly Dictionary<string, string[]> _sets = [];
    private readonly Dictionary<string, List<(List<Func<FilterPacket, bool>> Matches, bool Verdict)>> _chains = [];

    public NftModel(string text)
    {
        foreach (Match set in NamedSet().Matches(text))
        {
            _sets[set.Groups[1].Value] = Elements(set.Groups[2].Value);
        }

        foreach (Match chain in ChainBody().Matches(text))
        {
            string[] lines = [.. chain.Groups[2].Value.Split('\n').Select(each => each.Trim()).Where(each => each.Length > 0 && each[0] != '#')];
            Assert.Matches("^type filter hook \\w+ priority filter; policy drop;$", lines[0]);
            _chains[chain.Groups[1].Value] =
                [.. lines.Skip(1).Select(each => Compile([.. Word().Matches(CommentText().Replace(each, "")).Select(word => word.Value)]))];
        }
    }

    public bool Accepts(FilterPacket packet)
    {
        foreach ((List<Func<FilterPacket, bool>> matches, bool verdict) in _chains[packet.Chain])
        {
            if (matches.TrueForAll(each => each(packet)))
            {
                return verdict;
            }
        }

        return false;
    }

    private (List<Func<FilterPacket, bool>> Matches, bool Verdict) Compile(string[] words)
    {
        List<Func<FilterPacket, bool>> matches = [];
        int at = 0;
        while (words[at] is not ("accept" or "drop" or "reject"))
        {
            matches.Add(Match(words[at], words[at + 1], words[at + 2], ref at, words));
        }

        return (matches, words[at] == "accept");
    }

    private Func<FilterPacket, bool> Match(string first, string second, string value, ref int at, string[] words)
    {
        at += 3;
        switch (first, second)
        {
            case ("ct", "state"):
                return _ => false;
            case ("meta", "nfproto"):
                return packet => packet.IsIPv6 == (value == "ipv6");
            case ("meta", "l4proto"):
                int number = value == "tcp" ? 6 : int.Parse(value, CultureInfo.InvariantCulture);
                return packet => number == (int)packet.Protocol;
            case ("fib", "daddr"):
                at += 2;
                Assert.Equal("type != local", $"{value} {words[at - 2]} {words[at - 1]}");
                return packet => !packet.IsForThisHost;
            case ("ip" or "ip6", "saddr" or "daddr"):
                IPNetwork[] networks = [.. Values(value).Select(IPNetworkOf)];
                return packet => packet.IsIPv6 == (first == "ip6") && networks.Any(each => each.Contains(second == "saddr" ? packet.Src : packet.Dst));
            case ("icmp" or "icmpv6", "type"):
                string[] types = Values(value);
                return packet => packet.Protocol == (first == "icmp" ? FlowProtocol.Icmp : FlowProtocol.IcmpV6)
                    && types.Contains(IcmpName(packet.IsIPv6, packet.Service));
            case ("iif" or "oif", "\"lo\""):
                at--;
                return _ => false;
            case (_, "sport" or "dport"):
                FlowProtocol protocol = Enum.Parse<FlowProtocol>(first, ignoreCase: true);
                int[][] ranges = [.. Values(value).Select(each => each.Split('-').Select(end => int.Parse(end, CultureInfo.InvariantCulture)).ToArray())];
                Func<FilterPacket, int> port = packet => second == "sport" ? packet.SrcPort : packet.Service;
                return packet => protocol == packet.Protocol && ranges.Any(each => each[0] <= port(packet) && port(packet) <= each[^1]);
            default:
                throw new FormatException($"Unknown words: {string.Join(' ', words)}");
        }
    }

    private string[] Values(string value) => value[0] == '@' ? _sets[value[1..]] : value[0] == '{' ? Elements(value[1..^1]) : [value];

    private static string[] Elements(string list) => [.. list.Split(',').Select(each => each.Trim()).Where(each => each.Length > 0)];

    private static IPNetwork IPNetworkOf(string text) => text.Contains('/', StringComparison.Ordinal)
        ? IPNetwork.Parse(text)
        : new IPNetwork(IPAddress.Parse(text), IPAddress.Parse(text).GetAddressBytes().Length * 8);

    private static string IcmpName(bool isIPv6, int type) => (isIPv6, type) switch
    {
        (false, 8) or (true, 128) => "echo-request",
        (false, 13) => "timestamp-request",
        _ => type.ToString(CultureInfo.InvariantCulture),
    };

    [GeneratedRegex(@"set (\w+) \{[^=]*elements = \{([^}]*)\}")]
    private static partial Regex NamedSet();

    [GeneratedRegex(@"chain (\w+) \{\n(.*?)\n\t\}", RegexOptions.Singleline)]
    private static partial Regex ChainBody();

    [GeneratedRegex(" comment \"[^\"]*\"$")]
    private static partial Regex CommentText();

    [GeneratedRegex(@"\{[^}]*\}|\S+")]
    private static partial Regex Word();
}
