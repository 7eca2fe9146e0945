using System.Net;

namespace Conntracker;

/// <summary>Addresses and ports of a packet.</summary>
public sealed record FlowTuple
{
    /// <summary>The protocol above IP.</summary>
    public required FlowProtocol Protocol { get; init; }

    /// <summary>The source address.</summary>
    public required IPAddress SrcAddress { get; init; }

    /// <summary>The source port; null for protocols without ports.</summary>
    public ushort? SrcPort { get; init; }

    /// <summary>The destination address.</summary>
    public required IPAddress DstAddress { get; init; }

    /// <summary>The destination port; null for protocols without ports.</summary>
    public ushort? DstPort { get; init; }

    /// <summary>Source and destination on one line.</summary>
    public override string ToString() => $"{Endpoint(SrcAddress, SrcPort)} -> {Endpoint(DstAddress, DstPort)}";

    private static string Endpoint(IPAddress address, ushort? port) => port is null ? address.ToString() : new IPEndPoint(address, port.Value).ToString();
}
