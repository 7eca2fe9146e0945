using System.Globalization;

namespace Conntracker.Core.Policies.Suggestions;

/// <summary>A rule in the words of nft(8).</summary>
internal static class NftRuleText
{
    /// <summary>The rule without its comment.</summary>
    /// <param name="rule">The rule.</param>
    /// <param name="sets">Gives long lists a name; null writes them in the rule.</param>
    public static string Of(FirewallPolicyRule rule, NftNamedSets? sets)
    {
        List<string> parts = [];
        if (rule.InInterface is not null)
        {
            parts.Add($"iifname \"{rule.InInterface}\"");
        }

        if (rule.OutInterface is not null)
        {
            parts.Add($"oifname \"{rule.OutInterface}\"");
        }

        string ip = rule.Family == FlowFamily.IPv6 ? "ip6" : "ip";
        bool isIcmp = rule.IcmpTypes.Count > 0;
        if (rule is { Sources.Count: 0, Destinations.Count: 0 } && rule.Family != FlowFamily.None && !isIcmp)
        {
            parts.Add($"meta nfproto {(rule.Family == FlowFamily.IPv4 ? "ipv4" : "ipv6")}");
        }

        AddList(parts, $"{ip} saddr", rule.Sources.Select(each => each.ToString()), name => sets?.Addresses(rule, "sources", rule.Sources));
        AddList(parts, $"{ip} daddr", rule.Destinations.Select(each => each.ToString()), name => sets?.Addresses(rule, "destinations", rule.Destinations));
        string protocol = NameOf(rule.Protocol);
        if (rule.SourcePort is ushort from)
        {
            parts.Add(string.Create(CultureInfo.InvariantCulture, $"{protocol} sport {from}"));
        }

        if (rule.Ports.Count > 0)
        {
            AddList(parts, $"{protocol} dport", rule.Ports.Select(each => each.ToString()), name => sets?.Ports(rule));
        }
        else if (isIcmp)
        {
            AddList(parts, $"{protocol} type", rule.IcmpTypes.Select(each => IcmpNames.Of(rule.Protocol, each)), name => null);
        }
        else
        {
            parts.Add(string.Create(CultureInfo.InvariantCulture, $"meta l4proto {(byte)rule.Protocol}"));
        }

        parts.Add("accept");
        return string.Join(' ', parts);
    }

    /// <summary>The name of a protocol that has ports or types.</summary>
    public static string NameOf(FlowProtocol protocol) => protocol.ToString().ToLowerInvariant();

    private static void AddList(List<string> parts, string what, IEnumerable<string> values, Func<string, string?> nameOf)
    {
        string[] all = [.. values];
        if (all.Length == 0)
        {
            return;
        }

        string list = all.Length == 1 ? all[0]
            : all.Length > NftNamedSets.LongestList && nameOf(what) is string name ? $"@{name}"
            : $"{{ {string.Join(", ", all)} }}";
        parts.Add($"{what} {list}");
    }
}
