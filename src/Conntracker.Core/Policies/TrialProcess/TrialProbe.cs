using System.Net;

namespace Conntracker.Core.Policies.TrialProcess;

/// <summary>A line that the process of a trial reads: the packet to send.</summary>
internal sealed record TrialProbe
{
    /// <summary>The protocol above IP.</summary>
    public required FlowProtocol Protocol { get; init; }

    /// <summary>The source address.</summary>
    public required IPAddress Src { get; init; }

    /// <summary>The source port; 0 for protocols without ports.</summary>
    public ushort SrcPort { get; init; }

    /// <summary>The destination address.</summary>
    public required IPAddress Dst { get; init; }

    /// <summary>The destination port; 0 for protocols without ports.</summary>
    public ushort DstPort { get; init; }

    /// <summary>The ICMP type.</summary>
    public byte IcmpType { get; init; }

    /// <summary>The ICMP code.</summary>
    public byte IcmpCode { get; init; }

    /// <summary>The ICMP query's id.</summary>
    public ushort IcmpId { get; init; }

    /// <summary>The interface that the packet comes in by; null when the routes decide.</summary>
    public string? In { get; init; }

    /// <summary>The interface that the packet leaves by; null when the routes decide.</summary>
    public string? Out { get; init; }

    /// <summary>The packet's mark.</summary>
    public uint Mark { get; init; }

    /// <summary>The user of the socket, for a packet of this host; null for root.</summary>
    public uint? UserId { get; init; }
}
