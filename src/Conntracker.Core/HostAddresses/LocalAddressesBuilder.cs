




using Conntracker.Core.Addresses;

namespace Conntracker.Core.HostAddresses;

/// <summary>
/// Collects the host's addresses as they are told, and makes <see cref="LocalAddresses"/> of them when those are asked for: a host with ten
/// thousand addresses costs one making, not ten thousand. May be asked on any thread while another one adds. Holds as much as the host
/// ever had since the start.
/// </summary>
internal sealed class LocalAddressesBuilder
{
    private readonly Lock _gate = new();
    private readonly HashSet<AddressBlock> _newOwn = [];
    private readonly HashSet<AddressBlock> _newBroadcast = [];
    private volatile LocalAddresses _made = LocalAddresses.None;
    private volatile bool _hasNew;

    /// <summary>Everything that was added so far. The same object until something new is added.</summary>
    public LocalAddresses Current => _hasNew ? Make() : _made;

    /// <summary>Adds addresses of the host itself.</summary>
    public void AddOwn(AddressBlock block) => Add(block, isBroadcast: false);

    /// <summary>Adds broadcast addresses; IPv6 has none, and such a block is passed over.</summary>
    public void AddBroadcast(AddressBlock block)
    {
        if (block.Family == FlowFamily.IPv4)
        {
            Add(block, isBroadcast: true);
        }
    }

    private void Add(AddressBlock block, bool isBroadcast)
    {
        lock (_gate)
        {
            // The kernel repeats itself: an address, its route, and both again whenever a lifetime is renewed.
            _hasNew |= !_made.Has(block, isBroadcast) && (isBroadcast ? _newBroadcast : _newOwn).Add(block);
        }
    }

    private LocalAddresses Make()
    {
        lock (_gate)
        {
            if (_hasNew)
            {
                _made = _made.With(_newOwn, _newBroadcast);
                _newOwn.Clear();
                _newBroadcast.Clear();
                _hasNew = false;
            }

            return _made;
        }
    }
}
