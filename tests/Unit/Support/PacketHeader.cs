using Conntracker.Core.Flows;

namespace Conntracker.Tests.Unit;

/// <summary>Who a packet is from and for. Exchanged ends make the packet that answers it.</summary>
internal sealed record PacketHeader
{
    public FlowProtocol Protocol { get; init; } = FlowProtocol.Tcp;

    public string Src { get; init; } = "192.0.2.2";

    public ushort SrcPort { get; init; } = 40000;

    public string Dst { get; init; } = "198.51.100.2";

    public ushort DstPort { get; init; } = 443;

    /// <summary>Of ICMP, whose id is <see cref="SrcPort"/>.</summary>
    public byte Type { get; init; } = 8;

    /// <summary>Of an ICMP error: the packet that it is about.</summary>
    public PacketHeader? Cause { get; init; }

    public PacketHeader Answer() => this with { Src = Dst, SrcPort = FlowKey.IsIcmp(Protocol) ? SrcPort : DstPort, Dst = Src, DstPort = SrcPort, Type = 0 };

    public byte[] Whole() => Src.Contains(':', StringComparison.Ordinal)
        ? Packet.IPv6(Protocol, Transport(), Src, Dst)
        : Packet.IPv4(Protocol, Transport(), Src, Dst);

    public byte[] Network() => Whole()[..^Transport().Length];

    public byte[] Transport() => FlowKey.IsIcmp(Protocol)
        ? Packet.Icmp(Type, 0, SrcPort, Cause?.Whole() ?? [])
        : Packet.Ports(SrcPort, DstPort);
}
