using Conntracker.Core.Rulesets;

namespace Conntracker;

/// <summary>Reads the rules that are loaded on this host. Nothing is changed, and no table of iptables-legacy is created by it.</summary>
public static class FirewallRules
{
    private static readonly TraceEngine[] s_all = [TraceEngine.Nftables, TraceEngine.Iptables];

    /// <summary>
    /// The rules and policies of nftables, then those of iptables-legacy for IPv4 and for IPv6, each in its order. Tables of Conntracker are left out.
    /// </summary>
    /// <param name="networkNamespace">A name as <c>ip netns</c> shows it, or a path; null for the namespace of the calling thread.</param>
    /// <param name="cancellation">Ends the programs that read.</param>
    /// <exception cref="ConntrackException">The namespace, a program or a capability is missing, or the kernel refused.</exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public static IReadOnlyList<FirewallRule> Read(string? networkNamespace = null, CancellationToken cancellation = default) =>
        Read(networkNamespace, s_all, cancellation);

    /// <summary>The rules and policies of the given engines only.</summary>
    /// <param name="networkNamespace">A name as <c>ip netns</c> shows it, or a path; null for the namespace of the calling thread.</param>
    /// <param name="engines">The engines whose rules are read.</param>
    /// <param name="cancellation">Ends the programs that read.</param>
    /// <exception cref="ConntrackException">The namespace, a program or a capability is missing, or the kernel refused.</exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public static IReadOnlyList<FirewallRule> Read(string? networkNamespace, IReadOnlyCollection<TraceEngine> engines, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(engines);
        return NetworkNamespace.Run(networkNamespace, () => ReadHere(engines, cancellation));
    }

    private static List<FirewallRule> ReadHere(IReadOnlyCollection<TraceEngine> engines, CancellationToken cancellation)
    {
        List<FirewallRule> rules = [];
        if (engines.Contains(TraceEngine.Nftables))
        {
            rules.AddRange(FirewallRuleList.Of(NftRuleset.Parse(NftRulesetReader.Read(cancellation).Text)));
        }

        if (engines.Contains(TraceEngine.Iptables))
        {
            if (IptablesTables.IsDenied)
            {
                throw new ConntrackException(
                    ConntrackErrorReason.PermissionDenied,
                    "The rules of iptables-legacy may not be read: the capability CAP_NET_ADMIN is missing. Run as root, or with sudo.");
            }

            IptablesRulesetTexts texts = IptablesRulesetReader.Read(cancellation);
            rules.AddRange(FirewallRuleList.Of(IptablesRuleset.Parse(texts.IPv4), FlowFamily.IPv4));
            rules.AddRange(FirewallRuleList.Of(IptablesRuleset.Parse(texts.IPv6), FlowFamily.IPv6));
        }

        return rules;
    }
}
