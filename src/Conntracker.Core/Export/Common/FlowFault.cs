using System.Net;
using Conntracker.Core.Addresses;

namespace Conntracker.Core.Export.Common;

/// <summary>Checks a flow that was read from a file, where its properties must agree with each other.</summary>
internal static class FlowFault
{
    /// <summary>Why it is not a valid flow; null when it is.</summary>
    public static string? Of(Flow flow)
    {
        if (flow.Family is not (FlowFamily.IPv4 or FlowFamily.IPv6))
        {
            return "Family is neither IPv4 nor IPv6.";
        }

        return Mismatch(flow, nameof(Flow.SrcAddress), flow.SrcAddress)
            ?? Mismatch(flow, nameof(Flow.DstAddress), flow.DstAddress)
            ?? Mismatch(flow, nameof(Flow.ReplySrcAddress), flow.ReplySrcAddress)
            ?? Mismatch(flow, nameof(Flow.ReplyDstAddress), flow.ReplyDstAddress)
            ?? (flow.Trace.Any(step => step is null) ? "Trace has an element that is null." : null);
    }

    private static string? Mismatch(Flow flow, string property, IPAddress? address) =>
        address is null || AddressText.Family(address) == flow.Family ? null : $"{property} {address} is not an {flow.Family} address, as Family says.";
}
