using System.Net;
using Conntracker.Core.Flows;
using Conntracker.Core.Policies.TrialProcess;

namespace Conntracker.Core.Policies.Trials;

/// <summary>The packet that stands for a flow.</summary>
internal static class FlowProbe
{
    // Where a flow does not say it: a port from the middle of the range that Linux gives clients.
    private const ushort UsualClientPort = 45000;

    /// <summary>Makes the packet.</summary>
    /// <param name="flow">The flow.</param>
    /// <param name="probe">The packet; null when there is none.</param>
    /// <returns>Why no packet can stand for the flow; null when one can.</returns>
    public static string? TryCreate(Flow flow, out TrialProbe? probe)
    {
        probe = null;
        bool hasPorts = FlowKey.HasPorts(flow.Protocol);
        if (hasPorts && flow.DstPort is null)
        {
            return "the flow is folded: its destination port is not known";
        }

        if (FlowKey.IsIcmp(flow.Protocol) && flow.IcmpType is null)
        {
            return "the flow does not show its ICMP type";
        }

        if (flow.Folding != FlowFolding.None && (flow.SrcAddress.Equals(IPAddress.Any) || flow.SrcAddress.Equals(IPAddress.IPv6Any)))
        {
            return "the flow is folded: its source address is not known";
        }

        probe = new TrialProbe
        {
            Protocol = flow.Protocol,
            Src = flow.SrcAddress,
            SrcPort = hasPorts ? flow.SrcPort ?? UsualClientPort : (ushort)0,
            Dst = flow.DstAddress,
            DstPort = hasPorts ? flow.DstPort ?? 0 : (ushort)0,
            IcmpType = flow.IcmpType ?? 0,
            IcmpCode = flow.IcmpCode ?? 0,
            IcmpId = flow.IcmpId ?? 1,
            In = flow.InInterface,
            Out = flow.OutInterface,
            Mark = flow.PacketMark ?? 0,
            UserId = flow.Process?.RealUserId ?? flow.Process?.UserId,
        };
        return null;
    }
}
