using Conntracker.Core.Addresses;
using Conntracker.Core.Flows;

namespace Conntracker.Core.Packets;

/// <summary>
/// Addresses and ports of known services: those that answered, or that this host sent to. Bounded: when the newer half is full, the older one is
/// forgotten.
/// </summary>
internal sealed class ServicePorts
{
    private const int Half = 1 << 16;

    private HashSet<(FlowProtocol Protocol, FlowFamily Family, AddressBits Address, ushort Port)> _newer = [];
    private HashSet<(FlowProtocol Protocol, FlowFamily Family, AddressBits Address, ushort Port)> _older = [];

    /// <summary>Adds the destination of a flow as a service.</summary>
    public void Add(ref readonly FlowKey key)
    {
        if (_newer.Count >= Half)
        {
            (_older, _newer) = (_newer, _older);
            _newer.Clear();
        }

        _newer.Add((key.Protocol, key.Family, key.Original.Dst, key.Original.DstPort));
    }

    /// <summary>Whether a service is known at this address and port.</summary>
    public bool Contains(FlowProtocol protocol, FlowFamily family, AddressBits address, ushort port) =>
        _newer.Contains((protocol, family, address, port)) || _older.Contains((protocol, family, address, port));
}
