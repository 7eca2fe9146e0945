namespace Conntracker.Core.Policies.Suggestions;

/// <summary>Whether rules accept something, by what they declare.</summary>
internal static class PolicyMatch
{
    /// <summary>Whether one of the rules accepts the access with any source port.</summary>
    public static bool Accepts(IReadOnlyList<FirewallPolicyRule> rules, PolicyAccess access, OwnAddresses own) =>
        rules.Any(each => Accepts(each, access, own));

    private static bool Accepts(FirewallPolicyRule rule, PolicyAccess access, OwnAddresses own)
    {
        PolicyScope scope = access.Scope;
        return rule.Direction == scope.Direction && rule.Protocol == scope.Protocol
            && (rule.Family == FlowFamily.None || rule.Family == scope.Family)
            && (rule.InInterface is null || rule.InInterface == scope.InInterface)
            && (rule.OutInterface is null || rule.OutInterface == scope.OutInterface)
            && (rule.Ports.Count == 0 || rule.Ports.Any(each => each.Contains(access.Service)))
            && (rule.IcmpTypes.Count == 0 || rule.IcmpTypes.Contains((byte)access.Service))
            && (rule.Sources.Count == 0 || rule.Sources.Any(each => each.Block.Contains(access.Source)))
            && (rule.Destinations.Count > 0 ? rule.Destinations.Any(each => each.Block.Contains(access.Destination))
                : rule.Direction != FlowDirection.In || rule.SourcePort is not null || own.Contains(access.Destination));
    }
}
