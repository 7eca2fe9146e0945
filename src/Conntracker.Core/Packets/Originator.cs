using System.Collections;
using Conntracker.Core.Flows;
using Conntracker.Core.HostAddresses;

namespace Conntracker.Core.Packets;

/// <summary>
/// Says of the first packet of a flow that was seen whether its sender began the flow, or answers. TCP, SCTP and DCCP tell it themselves
/// when the beginning was seen; otherwise it is known from services seen before, or guessed from the ports.
/// </summary>
internal sealed class Originator
{
    private const int FirstClientPort = 1024;

    private readonly ServicePorts _services = new();
    private readonly BitArray _incomingUdpPorts = new(ushort.MaxValue + 1);

    /// <summary>Names UDP ports of services on this host: what is sent from them answers, whoever was seen first.</summary>
    public void UseIncomingUdpPorts(IEnumerable<int> ports)
    {
        foreach (int port in ports)
        {
            _incomingUdpPorts[port] = true;
        }
    }

    /// <summary>Whether the sender of the first packet of a flow answers.</summary>
    public bool IsReply(ref readonly PacketTuple packet, LocalAddresses addresses)
    {
        ref readonly FlowKey key = ref packet.Key;
        if (FlowKey.IsIcmp(key.Protocol))
        {
            return IcmpQuery.IsAnswer(key.Protocol, (byte)(key.Original.DstPort >> 8));
        }

        if (!FlowKey.HasPorts(key.Protocol) || IsMulticast(in key))
        {
            return false;
        }

        if (packet.HasTransportFlags && Tells(key.Protocol, packet.TransportFlags) is bool told)
        {
            return told;
        }

        return IsServiceOfHost(in key, addresses) ?? IsKnownService(in key) ?? IsServiceByPort(in key);
    }

    /// <summary>A flow has begun: where this host speaks to is a service.</summary>
    public void AddBeginning(ref readonly FlowKey key, LocalAddresses addresses)
    {
        if (FlowKey.HasPorts(key.Protocol) && addresses.IsOwn(key.Family, key.Original.Src))
        {
            _services.Add(in key);
        }
    }

    /// <summary>A flow was answered: who answers is a service. What was not answered may be a scan.</summary>
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

    // Below 1024 are services. Two ports above it: of TCP, whose beginning was missed, the lower one is the service more often than not; with
    // the others, who speaks first begins, as connection tracking has it.
    private static bool IsServiceByPort(ref readonly FlowKey key) => (key.Original.SrcPort < FirstClientPort, key.Original.DstPort < FirstClientPort) switch
    {
        (false, true) => false,
        (true, false) => true,
        (true, true) => false,
        _ => key.Protocol == FlowProtocol.Tcp && key.Original.SrcPort < key.Original.DstPort,
    };

    private static bool IsMulticast(ref readonly FlowKey key) => key.Family == FlowFamily.IPv4
        ? (uint)key.Original.Dst.Low >> 28 == 0xe || (uint)key.Original.Dst.Low == uint.MaxValue
        : key.Original.Dst.High >> 56 == 0xff;
}
