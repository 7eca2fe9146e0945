using System.Net;
using System.Net.Sockets;
using Conntracker.Core.Addresses;

namespace Conntracker.Core.Policies.Network.Packets;

/// <summary>Addresses and ports of a packet that stands for a flow.</summary>
internal record struct ProbeTuple
{
    /// <summary>IPv4 or IPv6.</summary>
    public FlowFamily Family;

    /// <summary>The protocol above IP.</summary>
    public FlowProtocol Protocol;

    /// <summary>The source address.</summary>
    public AddressBits Source;

    /// <summary>The destination address.</summary>
    public AddressBits Destination;

    /// <summary>The source port; 0 for protocols without ports.</summary>
    public ushort SourcePort;

    /// <summary>The destination port; 0 for protocols without ports.</summary>
    public ushort DestinationPort;

    /// <summary>The ICMP type; 0 for other protocols.</summary>
    public byte IcmpType;

    /// <summary>The ICMP code; 0 for other protocols.</summary>
    public byte IcmpCode;

    /// <summary>The identifier of an ICMP query; 0 for others.</summary>
    public ushort IcmpId;

    /// <summary>A tuple with ports.</summary>
    public static ProbeTuple Of(FlowProtocol protocol, IPAddress source, ushort sourcePort, IPAddress destination, ushort destinationPort) => new()
    {
        Family = FamilyOf(source),
        Protocol = protocol,
        Source = AddressBits.From(source),
        Destination = AddressBits.From(destination),
        SourcePort = sourcePort,
        DestinationPort = destinationPort,
    };

    /// <summary>A tuple of ICMP of the addresses' family.</summary>
    public static ProbeTuple OfIcmp(IPAddress source, IPAddress destination, byte type, byte code, ushort id) => new()
    {
        Family = FamilyOf(source),
        Protocol = FamilyOf(source) == FlowFamily.IPv4 ? FlowProtocol.Icmp : FlowProtocol.IcmpV6,
        Source = AddressBits.From(source),
        Destination = AddressBits.From(destination),
        IcmpType = type,
        IcmpCode = code,
        IcmpId = id,
    };

    /// <summary>The tuple with the ends exchanged; type, code and identifier of ICMP stay.</summary>
    public readonly ProbeTuple Swapped() => this with
    {
        Source = Destination,
        Destination = Source,
        SourcePort = DestinationPort,
        DestinationPort = SourcePort,
    };

    private static FlowFamily FamilyOf(IPAddress address) =>
        address.AddressFamily == AddressFamily.InterNetwork ? FlowFamily.IPv4 : FlowFamily.IPv6;
}
