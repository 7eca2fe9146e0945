





using Conntracker.Core.Addresses;
using Conntracker.Core.Flows;

namespace Conntracker.Core.Packets;

/// <summary>
/// Where services are, as far as packets have shown: an address and port that answered, or that this host spoke to. Bounded: what was not
/// heard of for the longest time is forgotten first, by halves.
/// </summary>
internal sealed class ServicePorts
{
    private const int Half = 1 << 16;

    private HashSet<(FlowProtocol Protocol, FlowFamily Family, AddressBits Address, ushort Port)> _newer = [];
    private HashSet<(FlowProtocol Protocol, FlowFamily Family, AddressBits Address, ushort Port)> _older = [];

    /// <summary>A service is where this flow goes.</summary>
    public void Add(ref readonly FlowKey key)
    {
        if (_newer.Count >= Half)
        {
            (_older, _newer) = (_newer, _older);
            _newer.Clear();
        }

        _newer.Add((key.Protocol, key.Family, key.Original.Dst, key.Original.DstPort));
    }

    /// <summary>Whether a service is known there.</summary>
    public bool Contains(FlowProtocol protocol, FlowFamily family, AddressBits address, ushort port) =>
        _newer.Contains((protocol, family, address, port)) || _older.Contains((protocol, family, address, port));
}
