using System.Globalization;

namespace Conntracker.Core.Policies.Suggestions;

/// <summary>Sets with a name, for lists that would make a rule hard to read. Equal lists share one.</summary>
internal sealed class NftNamedSets
{
    /// <summary>How many elements a rule holds itself.</summary>
    public const int LongestList = 8;

    private readonly Dictionary<string, string> _names = [];
    private readonly HashSet<string> _taken = [];

    /// <summary>The sets in the order of their first use: name, type and elements.</summary>
    public List<(string Name, string Type, IReadOnlyList<string> Elements)> All { get; } = [];

    /// <summary>The name of a set of addresses.</summary>
    public string Addresses(FirewallPolicyRule rule, string role, IReadOnlyList<AddressRange> addresses) =>
        NameOf(rule, role, rule.Family == FlowFamily.IPv6 ? "ipv6_addr" : "ipv4_addr", [.. addresses.Select(each => each.ToString())]);

    /// <summary>The name of a set of ports.</summary>
    public string Ports(FirewallPolicyRule rule) => NameOf(rule, "ports", "inet_service", [.. rule.Ports.Select(each => each.ToString())]);

    private string NameOf(FirewallPolicyRule rule, string role, string type, IReadOnlyList<string> elements)
    {
        string key = $"{type} {string.Join(',', elements)}";
        if (_names.TryGetValue(key, out string? known))
        {
            return known;
        }

        string direction = rule.Direction.ToString().ToLowerInvariant();
        string service = rule.Ports.Count > 0 && role != "ports" ? string.Create(CultureInfo.InvariantCulture, $"_{rule.Ports[0].First}") : "";
        string family = rule.Family == FlowFamily.IPv6 && role != "ports" ? "6" : "";
        string stem = $"{direction}_{NftRuleText.NameOf(rule.Protocol)}{service}_{role}{family}";
        string name = stem;
        for (int i = 2; !_taken.Add(name); i++)
        {
            name = string.Create(CultureInfo.InvariantCulture, $"{stem}_{i}");
        }

        _names[key] = name;
        All.Add((name, type, elements));
        return name;
    }
}
