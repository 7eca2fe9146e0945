namespace Conntracker.Core.Policies.Suggestions;

/// <summary>What every policy accepts or drops besides the rules that flows gave it.</summary>
internal static class PolicyBaseline
{
    /// <summary>Why a chain drops what is for nobody or everybody.</summary>
    public const string BroadcastReason = "Other broadcast and multicast. What follows is for this host's own addresses.";

    /// <summary>Why a chain accepts ICMP.</summary>
    public static string Reason(FlowDirection direction) => direction == FlowDirection.Forward
        ? "ICMP errors and path MTU discovery."
        : "ICMP errors and path MTU discovery; neighbour, router and multicast listener discovery of IPv6.";

    /// <summary>The types of ICMPv6 that a chain accepts, those of one purpose together.</summary>
    public static IReadOnlyList<byte>[] Groups6(FlowDirection direction) =>
        direction == FlowDirection.Forward ? [IcmpNames.Errors6] : [IcmpNames.Errors6, IcmpNames.Discovery6, IcmpNames.Multicast6];

    /// <summary>How many rules of a chain come before the one that drops broadcast and multicast: those that name such a destination, and DHCP.</summary>
    public static int CountBeforeBroadcastRule(IReadOnlyList<FirewallPolicyRule> rules)
    {
        int count = 0;
        while (count < rules.Count && rules[count].Direction == FlowDirection.In
            && (rules[count].Destinations.Count > 0 || rules[count].SourcePort is not null))
        {
            count++;
        }

        return count;
    }
}
