using System.Net;
using Conntracker.Core.Addresses;

namespace Conntracker.Core.Model;

/// <summary>
/// Folds a flow to what a firewall rule needs. An incoming or outgoing flow loses the client's port, and the far end's address if it is on
/// the internet. The host's own address stays, even a public one; flows of other directions stay unchanged.
/// </summary>
internal static class InternetAggregator
{
    /// <summary>Whether flows of a direction are folded.</summary>
    public static bool Folds(FlowDirection direction) => direction is FlowDirection.In or FlowDirection.Out;

    /// <summary>Whether the source is shown as the internet.</summary>
    public static bool FoldsSource(InternetFolding folding, FlowDirection direction, FlowFamily family, AddressBits source) =>
        direction == FlowDirection.In && (folding is InternetFolding.In or InternetFolding.Both)
        && InternetAddresses.IsRouted(family, source);

    /// <summary>Whether the destination is shown as the internet.</summary>
    public static bool FoldsDestination(InternetFolding folding, FlowDirection direction, FlowFamily family, AddressBits destination) =>
        direction == FlowDirection.Out && (folding is InternetFolding.Out or InternetFolding.Both)
        && InternetAddresses.IsRouted(family, destination);

    /// <summary>The folded flow: a new object, or the same one if nothing is folded.</summary>
    public static Flow Fold(Flow flow, InternetFolding folding)
    {
        if (!Folds(flow.Direction))
        {
            return flow;
        }

        bool source = FoldsSource(folding, flow.Direction, flow.Family, AddressBits.From(flow.SrcAddress));
        bool destination = FoldsDestination(folding, flow.Direction, flow.Family, AddressBits.From(flow.DstAddress));
        bool port = flow.SrcPort is not null || flow.IcmpId is not null;
        if (!source && !destination && !port)
        {
            return flow;
        }

        IPAddress unspecified = flow.Family == FlowFamily.IPv4 ? IPAddress.Any : IPAddress.IPv6Any;
        Flow folded = flow.Copy();
        folded.SrcPort = null;
        folded.IcmpId = null;
        folded.ReplyDstPort = null;
        folded.ConntrackId = null;
        if (source)
        {
            folded.SrcAddress = unspecified;
            folded.ReplyDstAddress = flow.ReplyDstAddress is null ? null : unspecified;
        }

        if (destination)
        {
            folded.DstAddress = unspecified;
            folded.ReplySrcAddress = flow.ReplySrcAddress is null ? null : unspecified;
        }

        folded.Folding = source || destination ? FlowFolding.Internet
            : flow.Folding == FlowFolding.None ? FlowFolding.ClientPort
            : flow.Folding;
        return folded;
    }
}
