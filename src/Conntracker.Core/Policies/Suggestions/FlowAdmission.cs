using Conntracker.Core.Addresses;

namespace Conntracker.Core.Policies.Suggestions;

/// <summary>Decides which flows a policy accepts. A flow that works through the loopback interface needs no rule.</summary>
internal static class FlowAdmission
{
    /// <summary>Why a flow is not accepted; null when it is.</summary>
    public static FlowOmissionReason? ReasonAgainst(Flow flow, FlowDirection direction, FirewallPolicyOptions options)
    {
        if (flow.Verdict is FlowVerdict.Dropped or FlowVerdict.Rejected)
        {
            return FlowOmissionReason.Denied;
        }

        if (options.Exclude.Any(each => each.Matches(flow)))
        {
            return FlowOmissionReason.Excluded;
        }

        if (direction == FlowDirection.Local)
        {
            return null;
        }

        if (direction == FlowDirection.Unknown)
        {
            return FlowOmissionReason.DirectionUnknown;
        }

        if (flow.Folding == FlowFolding.Protocol || !HasService(flow))
        {
            return FlowOmissionReason.Folded;
        }

        if (!IsPlain(flow.InInterface) || !IsPlain(flow.OutInterface))
        {
            return FlowOmissionReason.InterfaceName;
        }

        return IsAnswered(flow, direction) ? null : FlowOmissionReason.Unanswered;
    }

    // What nobody answered may be a scan, also where the firewall let it pass because its policy accepts everything.
    private static bool IsAnswered(Flow flow, FlowDirection direction)
    {
        if (flow.Confirmed || IsHypothetical(flow))
        {
            return true;
        }

        return flow.Protocol switch
        {
            FlowProtocol.Tcp or FlowProtocol.Sctp or FlowProtocol.Dccp or FlowProtocol.Icmp or FlowProtocol.IcmpV6 => false,
            _ => direction == FlowDirection.Out || IsWanted(flow),
        };
    }

    // The kernel delivers a multicast packet only to a host that has joined the group.
    private static bool IsWanted(Flow flow)
    {
        AddressBlock destination = OwnAddresses.BlockOf(flow.DstAddress);
        return flow.ReplyProcess is not null || (flow.Direction == FlowDirection.In && flow.Process is not null)
            || IsAcceptedByRule(flow)
            || (OwnAddresses.IsForMany(destination) && !IsBroadcast(destination));
    }

    private static bool IsBroadcast(AddressBlock block) => block.Family == FlowFamily.IPv4 && (uint)block.First.Low == uint.MaxValue;

    // A policy that accepts everything does not say that this flow is wanted.
    private static bool IsAcceptedByRule(Flow flow) =>
        flow is { Verdict: FlowVerdict.Accepted, VerdictRule: string rule } && !rule.EndsWith(" policy accept", StringComparison.OrdinalIgnoreCase);

    // A flow that New-ConntrackFlow made was never captured, and its maker wants a rule for it.
    private static bool IsHypothetical(Flow flow) => flow.FirstSeen is null && flow.LastSeen is null && flow.ReplySrcAddress is null && flow.ConntrackId is null
        && (flow.InInterface is not null || flow.OutInterface is not null || flow.PacketMark is not null);

    private static bool HasService(Flow flow) => flow.Protocol switch
    {
        FlowProtocol.Tcp or FlowProtocol.Udp or FlowProtocol.Sctp or FlowProtocol.Dccp or FlowProtocol.UdpLite => flow.DstPort is not null,
        FlowProtocol.Icmp or FlowProtocol.IcmpV6 => flow.IcmpType is not null,
        _ => true,
    };

    // A name may hold quotes, wildcards and every other character but a slash and white space. Rulesets have no way to write all of them.
    private static bool IsPlain(string? name) =>
        name is null || (name.Length is > 0 and <= 15 && name.All(each => char.IsAsciiLetterOrDigit(each) || each is '.' or '_' or '-' or '@' or ':')
            && name[0] != '-');
}
