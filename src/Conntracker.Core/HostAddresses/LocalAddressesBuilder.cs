




using Conntracker.Core.Addresses;

namespace Conntracker.Core.HostAddresses;

/// <summary>
/// Collects the host's addresses as rtnetlink reports them, and builds <see cref="LocalAddresses"/> only when it is needed: ten thousand addresses
/// cost one build, not ten thousand. It may be read on any thread while another one adds. It holds every address that the host has had since the
/// start.
/// </summary>
internal sealed class LocalAddressesBuilder
{
    private readonly Lock _lock = new();
    private readonly HashSet<AddressBlock> _newOwn = [];
    private readonly HashSet<AddressBlock> _newBroadcast = [];
    private volatile LocalAddresses _made = LocalAddresses.None;
    private volatile bool _hasNew;

    /// <summary>Everything that was added so far. The same object until something new is added.</summary>
    public LocalAddresses Current => _hasNew ? Make() : _made;

    /// <summary>Adds addresses of the host itself.</summary>
    public void AddOwn(AddressBlock block) => Add(block, isBroadcast: false);

    /// <summary>Adds broadcast addresses. IPv6 has none: such a block is ignored.</summary>
    public void AddBroadcast(AddressBlock block)
    {
        if (block.Family == FlowFamily.IPv4)
        {
            Add(block, isBroadcast: true);
        }
    }

    private void Add(AddressBlock block, bool isBroadcast)
    {
        lock (_lock)
        {
            // The kernel repeats itself: it reports an address, its route, and both again whenever a lifetime is renewed.
            _hasNew |= !_made.Has(block, isBroadcast) && (isBroadcast ? _newBroadcast : _newOwn).Add(block);
        }
    }

    private LocalAddresses Make()
    {
        lock (_lock)
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
