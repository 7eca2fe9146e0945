using System.Globalization;
using System.Text;

namespace Conntracker.Core.Policies.Suggestions;

/// <summary>
/// Writes a policy for iptables-restore(8) and ip6tables-restore(8): for one of them, or for both. In a file for both, <c>-4</c> or <c>-6</c> says which of
/// them a rule is for; the other one skips it.
/// </summary>
internal sealed class IptablesPolicyWriter
{
    // XT_MULTI_PORTS; a range takes two places.
    private const int MostPorts = 15;

    // The size of the comment in struct xt_comment_info, less the end of the text.
    private const int LongestComment = 255;

    private readonly FlowFamily _family;
    private readonly StringBuilder _rules = new();
    private readonly List<string> _chains = [];

    private IptablesPolicyWriter(FlowFamily family) => _family = family;

    /// <summary>The text; each line ends with a line feed.</summary>
    /// <param name="policy">The policy.</param>
    /// <param name="family">The family; None for both in one text.</param>
    public static string Write(FirewallPolicy policy, FlowFamily family)
    {
        IptablesPolicyWriter writer = new(family);
        writer.Chain(policy, FlowDirection.In);
        writer.Chain(policy, FlowDirection.Forward);
        writer.Chain(policy, FlowDirection.Out);

        StringBuilder text = new();
        foreach (string line in PolicyText.Header(policy))
        {
            text.Append("# ").Append(line).Append('\n');
        }

        text.Append(family switch
        {
            FlowFamily.IPv4 => "# Check: iptables-restore --test FILE. Load: iptables-restore FILE; it replaces the table filter.\n",
            FlowFamily.IPv6 => "# Check: ip6tables-restore --test FILE. Load: ip6tables-restore FILE; it replaces the table filter.\n",
            _ => "# One file for both families. Check: iptables-restore --test FILE; ip6tables-restore --test FILE.\n"
                + "# Load: iptables-restore FILE; ip6tables-restore FILE. They replace the table filter.\n",
        });
        text.Append("*filter\n:INPUT DROP [0:0]\n:FORWARD DROP [0:0]\n:OUTPUT DROP [0:0]\n");
        foreach (string chain in writer._chains)
        {
            text.Append(':').Append(chain).Append(" - [0:0]\n");
        }

        return text.Append(writer._rules).Append("COMMIT\n").ToString();
    }

    private void Chain(FirewallPolicy policy, FlowDirection direction)
    {
        string name = direction switch { FlowDirection.In => "INPUT", FlowDirection.Out => "OUTPUT", _ => "FORWARD" };
        Line(FlowFamily.None, $"-A {name} -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT");
        Line(FlowFamily.None, $"-A {name} -m conntrack --ctstate INVALID -j DROP");
        if (direction != FlowDirection.Forward)
        {
            Line(FlowFamily.None, $"-A {name} {(direction == FlowDirection.In ? "-i" : "-o")} lo -j ACCEPT");
        }

        FirewallPolicyRule[] rules = [.. policy.Rules.Where(each => each.Direction == direction)];
        if (direction != FlowDirection.Forward || rules.Length > 0)
        {
            Remark(PolicyBaseline.Reason(direction));
            foreach (byte type in IcmpNames.Errors4)
            {
                Line(FlowFamily.IPv4, string.Create(CultureInfo.InvariantCulture, $"-A {name} -p icmp -m icmp --icmp-type {type} -j ACCEPT"));
            }

            foreach (byte type in PolicyBaseline.Groups6(direction).SelectMany(each => each))
            {
                Line(FlowFamily.IPv6, string.Create(CultureInfo.InvariantCulture, $"-A {name} -p ipv6-icmp -m icmp6 --icmpv6-type {type} -j ACCEPT"));
            }
        }

        int early = PolicyBaseline.CountBeforeBroadcastRule(rules);
        Rules(name, rules, 0, early);
        if (direction == FlowDirection.In)
        {
            Remark(PolicyBaseline.BroadcastReason);
            Line(FlowFamily.None, $"-A {name} -m addrtype ! --dst-type LOCAL -j DROP");
        }

        Rules(name, rules, early, rules.Length);
        if (policy.DefaultVerdict == FirewallPolicyDefault.Reject)
        {
            Line(FlowFamily.None, $"-A {name} -p tcp -j REJECT --reject-with tcp-reset");
            Line(FlowFamily.IPv4, $"-A {name} -j REJECT --reject-with icmp-admin-prohibited");
            Line(FlowFamily.IPv6, $"-A {name} -j REJECT --reject-with icmp6-adm-prohibited");
        }
    }

    private void Rules(string chain, FirewallPolicyRule[] rules, int from, int to)
    {
        for (int i = from; i < to; i++)
        {
            Rule(chain, rules[i], i + 1);
        }
    }

    private void Rule(string chain, FirewallPolicyRule rule, int number)
    {
        if (!IsWritten(rule.Family))
        {
            return;
        }

        (string where, string target) = Hosts(rule, string.Create(CultureInfo.InvariantCulture, $"{chain.ToLowerInvariant()}_{number}"));
        string interfaces = $"{(rule.InInterface is null ? "" : $" -i {rule.InInterface}")}{(rule.OutInterface is null ? "" : $" -o {rule.OutInterface}")}";
        string comment = $" -m comment --comment \"{PolicyText.Comment(rule, LongestComment)}\"";
        foreach (string service in Services(rule))
        {
            Line(rule.Family, $"-A {chain}{where}{interfaces}{service}{comment} -j {target}");
        }
    }

    // Several hosts are a chain of their own, so that the rule and its comment stand once.
    private (string Where, string Target) Hosts(FirewallPolicyRule rule, string name)
    {
        string target = "ACCEPT";
        string where = "";
        foreach ((string option, string suffix, IReadOnlyList<AddressRange> hosts) in new[] { ("-d", "_to", rule.Destinations), ("-s", "_from", rule.Sources) })
        {
            if (hosts.Count == 1)
            {
                where = $" {option} {hosts[0]}{where}";
            }
            else if (hosts.Count > 1)
            {
                _chains.Add(name + suffix);
                foreach (AddressRange host in hosts)
                {
                    Line(rule.Family, $"-A {name}{suffix} {option} {host} -j {target}");
                }

                target = name + suffix;
            }
        }

        return (where, target);
    }

    private static IEnumerable<string> Services(FirewallPolicyRule rule)
    {
        string number = ((byte)rule.Protocol).ToString(CultureInfo.InvariantCulture);
        if (rule.IcmpTypes.Count > 0)
        {
            (string protocol, string match, string option) = rule.Protocol == FlowProtocol.Icmp
                ? ("icmp", "icmp", "--icmp-type")
                : ("ipv6-icmp", "icmp6", "--icmpv6-type");
            return rule.IcmpTypes.Select(each => string.Create(CultureInfo.InvariantCulture, $" -p {protocol} -m {match} {option} {each}"));
        }

        if (rule.Ports.Count == 0)
        {
            return [$" -p {number}"];
        }

        string name = rule.Protocol is FlowProtocol.Tcp or FlowProtocol.Udp ? NftRuleText.NameOf(rule.Protocol) : number;
        if (rule.Ports.Count == 1 && name != number)
        {
            string from = rule.SourcePort is null ? "" : string.Create(CultureInfo.InvariantCulture, $" --sport {rule.SourcePort}");
            return [$" -p {name} -m {name}{from} --dport {Range(rule.Ports[0])}"];
        }

        return Chunks(rule.Ports).Select(each => $" -p {name} -m multiport --dports {string.Join(',', each.Select(Range))}");
    }

    private static IEnumerable<List<PortRange>> Chunks(IReadOnlyList<PortRange> ports)
    {
        List<PortRange> chunk = [];
        int places = 0;
        foreach (PortRange range in ports)
        {
            int needed = range.First == range.Last ? 1 : 2;
            if (places + needed > MostPorts)
            {
                yield return chunk;
                chunk = [];
                places = 0;
            }

            chunk.Add(range);
            places += needed;
        }

        yield return chunk;
    }

    private static string Range(PortRange range) =>
        string.Create(CultureInfo.InvariantCulture, $"{range.First}{(range.First == range.Last ? "" : $":{range.Last}")}");

    private bool IsWritten(FlowFamily family) => family == FlowFamily.None || _family == FlowFamily.None || family == _family;

    private void Remark(string text) => _rules.Append("# ").Append(text).Append('\n');

    private void Line(FlowFamily family, string line)
    {
        if (IsWritten(family))
        {
            string only = family switch { FlowFamily.IPv4 => "-4 ", FlowFamily.IPv6 => "-6 ", _ => "" };
            _rules.Append(_family == FlowFamily.None ? only : "").Append(line).Append('\n');
        }
    }
}
