using System.Collections;
using Conntracker.Core.Flows;
using Conntracker.Core.HostAddresses;

namespace Conntracker.Core.Packets;

/// <summary>
/// Decides whether the sender of a flow's first captured packet began the flow, or replies. TCP, SCTP and DCCP show it when their handshake was
/// captured. Otherwise it follows from services seen before, or is guessed from the ports.
/// </summary>
internal sealed class Originator
{
    private const int FirstClientPort = 1024;

    private readonly ServicePorts _services = new();
    private readonly BitArray _incomingUdpPorts = new(ushort.MaxValue + 1);

    /// <summary>Sets the UDP ports of services on this host: a packet sent from one is a reply, even when it is the first one captured.</summary>
    public void UseIncomingUdpPorts(IEnumerable<int> ports)
    {
        foreach (int port in ports)
        {
            _incomingUdpPorts[port] = true;
        }
    }

    /// <summary>Whether the sender of the first packet of a flow replies.</summary>
    public bool IsReply(ref readonly PacketTuple packet, LocalAddresses addresses)
    {
        ref readonly FlowKey key = ref packet.Key;
        if (FlowKey.IsIcmp(key.Protocol))
        {
            return Icmp.IsReply(key.Protocol, key.Original.IcmpType);
        }

        if (!FlowKey.HasPorts(key.Protocol) || key.Original.Dst.IsMulticastOrBroadcast(key.Family))
        {
            return false;
        }

        if (packet.HasTransportFlags && Tells(key.Protocol, packet.TransportFlags) is bool told)
        {
            return told;
        }

        return IsServiceOfHost(in key, addresses) ?? IsKnownService(in key) ?? IsServiceByPort(in key);
    }

    /// <summary>Learns from a flow that has begun: the destination of a flow from this host is a service.</summary>
    public void AddBeginning(ref readonly FlowKey key, LocalAddresses addresses)
    {
        if (FlowKey.HasPorts(key.Protocol) && addresses.IsOwn(key.Family, key.Original.Src))
        {
            _services.Add(in key);
        }
    }

    /// <summary>Learns from a flow that was answered: its destination is a service. A flow without a reply may be a scan.</summary>
    public void AddAnswer(ref readonly FlowKey key)
    {
        if (FlowKey.HasPorts(key.Protocol))
        {
            _services.Add(in key);
        }
    }

    private static bool? Tells(FlowProtocol protocol, byte signal) => protocol switch
    {
        FlowProtocol.Tcp when TcpTracking.IsBeginning(signal) => false,
        FlowProtocol.Tcp when TcpTracking.IsFirstAnswer(signal) => true,
        FlowProtocol.Sctp when SctpTracking.IsBeginning(signal) => false,
        FlowProtocol.Sctp when SctpTracking.IsFirstAnswer(signal) => true,
        FlowProtocol.Dccp when DccpTracking.IsBeginning(signal) => false,
        FlowProtocol.Dccp when DccpTracking.IsFirstAnswer(signal) => true,
        _ => null,
    };

    private bool? IsServiceOfHost(ref readonly FlowKey key, LocalAddresses addresses)
    {
        if (key.Protocol != FlowProtocol.Udp)
        {
            return null;
        }

        return _incomingUdpPorts[key.Original.DstPort] && addresses.IsOwn(key.Family, key.Original.Dst) ? false
            : _incomingUdpPorts[key.Original.SrcPort] && addresses.IsOwn(key.Family, key.Original.Src) ? true
            : null;
    }

    private bool? IsKnownService(ref readonly FlowKey key) =>
        _services.Contains(key.Protocol, key.Family, key.Original.Dst, key.Original.DstPort) ? false
        : _services.Contains(key.Protocol, key.Family, key.Original.Src, key.Original.SrcPort) ? true
        : null;

    // Ports below 1024 are services. When both are above: with TCP, whose handshake was missed, the lower one is usually the service; with other
    // protocols the first sender is the originator, as in connection tracking.
    private static bool IsServiceByPort(ref readonly FlowKey key) => (key.Original.SrcPort < FirstClientPort, key.Original.DstPort < FirstClientPort) switch
    {
        (false, true) => false,
        (true, false) => true,
        (true, true) => false,
        _ => key.Protocol == FlowProtocol.Tcp && key.Original.SrcPort < key.Original.DstPort,
    };
}
