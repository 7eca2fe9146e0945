using System.Net;

namespace Conntracker.Tests.Unit.Policies.Suggestions;

/// <summary>The first packet of a flow as a filter chain sees it.</summary>
internal sealed record FilterPacket(string Chain, IPAddress Src, IPAddress Dst, FlowProtocol Protocol, int SrcPort, int Service, bool IsForThisHost = true)
{
    public bool IsIPv6 => Src.AddressFamily == System.Net.Sockets.AddressFamily.InterNetworkV6;

    public static FilterPacket Of(Flow flow) => new(
        flow.Direction switch { FlowDirection.In => "input", FlowDirection.Out => "output", _ => "forward" },
        flow.SrcAddress,
        flow.ReplySrcAddress ?? flow.DstAddress,
        flow.Protocol,
        flow.SrcPort ?? 0,
        flow.IcmpType ?? flow.ReplySrcPort ?? flow.DstPort ?? 0,
        !flow.DstAddress.ToString().StartsWith("224.", StringComparison.Ordinal) && !flow.DstAddress.ToString().StartsWith("ff", StringComparison.Ordinal));
}
