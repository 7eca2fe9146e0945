using System.Text;

namespace Conntracker.Core.Policies.Suggestions;

/// <summary>Writes a policy as a file of nft(8).</summary>
internal static class NftablesPolicyWriter
{
    /// <summary>The table, of the family inet.</summary>
    public const string Table = "conntracker_policy";

    // NFTNL_UDATA_COMMENT_MAXLEN in nft: 128 bytes with the end of the text.
    private const int LongestComment = 127;

    /// <summary>The text; each line ends with a line feed.</summary>
    public static string Write(FirewallPolicy policy)
    {
        StringBuilder text = new();
        NftNamedSets sets = new();
        FlowDirection[] directions = [FlowDirection.In, FlowDirection.Forward, FlowDirection.Out];
        string chains = string.Join("\n", directions.Select(each => Chain(policy, sets, each)));

        text.Append("#!/usr/sbin/nft -f\n");
        foreach (string line in PolicyText.Header(policy))
        {
            text.Append("# ").Append(line).Append('\n');
        }

        text.Append("# Check: nft -c -f FILE. Load: nft -f FILE; loading again replaces the table in one step.\n");
        text.Append("# Remove: nft delete table inet ").Append(Table).Append(".\n\n");
        text.Append("table inet ").Append(Table).Append("\ndelete table inet ").Append(Table).Append("\n\n");
        text.Append("table inet ").Append(Table).Append(" {\n");
        foreach ((string name, string type, IReadOnlyList<string> elements) in sets.All)
        {
            text.Append("\tset ").Append(name).Append(" {\n\t\ttype ").Append(type).Append("\n\t\tflags interval\n\t\telements = {\n");
            text.AppendJoin(",\n", elements.Select(each => $"\t\t\t{each}")).Append("\n\t\t}\n\t}\n\n");
        }

        return text.Append(chains).Append("}\n").ToString();
    }

    private static string Chain(FirewallPolicy policy, NftNamedSets sets, FlowDirection direction)
    {
        StringBuilder text = new();
        string name = direction switch { FlowDirection.In => "input", FlowDirection.Out => "output", _ => "forward" };
        text.Append("\tchain ").Append(name).Append(" {\n");
        Line(text, $"type filter hook {name} priority filter; policy drop;");
        text.Append('\n');
        Line(text, "ct state established,related accept");
        Line(text, "ct state invalid drop");
        if (direction != FlowDirection.Forward)
        {
            Line(text, direction == FlowDirection.In ? "iif \"lo\" accept" : "oif \"lo\" accept");
        }

        FirewallPolicyRule[] rules = [.. policy.Rules.Where(each => each.Direction == direction)];
        if (direction != FlowDirection.Forward || rules.Length > 0)
        {
            text.Append("\n\t\t# ").Append(PolicyBaseline.Reason(direction)).Append('\n');
            Line(text, $"icmp type {{ {Names(FlowProtocol.Icmp, IcmpNames.Errors4)} }} accept");
            foreach (IReadOnlyList<byte> types in PolicyBaseline.Groups6(direction))
            {
                Line(text, $"icmpv6 type {{ {Names(FlowProtocol.IcmpV6, types)} }} accept");
            }
        }

        int early = PolicyBaseline.CountBeforeBroadcastRule(rules);
        Rules(text, rules[..early], sets);
        if (direction == FlowDirection.In)
        {
            text.Append("\n\t\t# ").Append(PolicyBaseline.BroadcastReason).Append('\n');
            Line(text, "fib daddr type != local drop");
        }

        Rules(text, rules[early..], sets);
        if (policy.DefaultVerdict == FirewallPolicyDefault.Reject)
        {
            text.Append('\n');
            Line(text, "meta l4proto tcp reject with tcp reset");
            Line(text, "reject with icmpx type admin-prohibited");
        }

        return text.Append("\t}\n").ToString();
    }

    private static void Rules(StringBuilder text, FirewallPolicyRule[] rules, NftNamedSets sets)
    {
        if (rules.Length > 0)
        {
            text.Append('\n');
        }

        foreach (FirewallPolicyRule rule in rules)
        {
            Line(text, $"{NftRuleText.Of(rule, sets)} comment \"{PolicyText.Comment(rule, LongestComment)}\"");
        }
    }

    private static string Names(FlowProtocol protocol, IEnumerable<byte> types) => string.Join(", ", types.Select(each => IcmpNames.Of(protocol, each)));

    private static void Line(StringBuilder text, string line) => text.Append("\t\t").Append(line).Append('\n');
}
