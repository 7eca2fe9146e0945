using Conntracker.Core.Addresses;
using Conntracker.Core.Netlink;

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

    /// <summary>Adds the addresses and routes of a datagram of rtnetlink.</summary>
    /// <returns>The number of malformed messages.</returns>
    public int Handle(ReadOnlySpan<byte> datagram)
    {
        int malformed = 0;
        NetlinkMessageReader messages = new(datagram);
        while (messages.TryRead(out NetlinkMessage message))
        {
            malformed += Handle(in message) == DecodeResult.Malformed ? 1 : 0;
        }

        return malformed + (messages.IsMalformed ? 1 : 0);
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

    private DecodeResult Handle(in NetlinkMessage message)
    {
        DecodeResult result = RouteDecoder.Decode(in message, out AddressBlock block, out bool isBroadcast);
        if (result == DecodeResult.Decoded && isBroadcast)
        {
            AddBroadcast(block);
        }
        else if (result == DecodeResult.Decoded)
        {
            AddOwn(block);
        }

        if (result != DecodeResult.Ignored)
        {
            return result;
        }

        result = AddressDecoder.Decode(in message, out FlowFamily family, out AddressBits address, out AddressBits? broadcast);
        if (result == DecodeResult.Decoded)
        {
            AddOwn(AddressBlock.Of(family, address));
            if (broadcast is AddressBits known)
            {
                AddBroadcast(AddressBlock.Of(family, known));
            }
        }

        return result;
    }
}
