using Conntracker.Core.Addresses;
using Conntracker.Core.Flows;

namespace Conntracker.Core.HostAddresses;

/// <summary>
/// The host's own addresses, as seen since the start. An address that was removed stays, because flows of its time are still shown.
/// Immutable, so that a snapshot keeps the set it began with; <see cref="LocalAddressesBuilder"/> creates it.
/// </summary>
internal sealed class LocalAddresses
{
    private const uint LoopbackNetwork = 127;

    private readonly AddressSet _own4;
    private readonly AddressSet _own6;
    private readonly AddressSet _many4;

    private LocalAddresses(AddressSet own4, AddressSet own6, AddressSet many4)
    {
        _own4 = own4;
        _own6 = own6;
        _many4 = many4;
    }

    /// <summary>No addresses: every direction is unknown.</summary>
    public static LocalAddresses None { get; } = new(AddressSet.Empty, AddressSet.Empty, AddressSet.Empty);

    /// <summary>These addresses and more.</summary>
    /// <param name="own">Addresses of the host itself.</param>
    /// <param name="forMany">Broadcast addresses; IPv6 has none.</param>
    public LocalAddresses With(IReadOnlyCollection<AddressBlock> own, IReadOnlyCollection<AddressBlock> forMany) => new(
        _own4.With(own.Where(each => each.Family == FlowFamily.IPv4)),
        _own6.With(own.Where(each => each.Family == FlowFamily.IPv6)),
        _many4.With(forMany.Where(each => each.Family == FlowFamily.IPv4)));

    /// <summary>
    /// The direction of a flow: the source before NAT says whether it began on this host, and the address that answers (the destination after NAT)
    /// whether it ends here.
    /// </summary>
    public FlowDirection DirectionOf(ref readonly FlowRecord record)
    {
        if ((_own4.IsEmpty && _own6.IsEmpty) || record.Folding >= FlowFolding.Client)
        {
            return FlowDirection.Unknown;
        }

        FlowFamily family = record.Key.Family;
        bool fromHere = IsOwn(family, record.Key.Original.Src);
        bool toHere = IsOwn(family, record.Reply.Src) || (!fromHere && IsBroadcast(family, record.Key.Original.Dst));
        return (fromHere, toHere) switch
        {
            (true, true) => FlowDirection.Local,
            (true, false) => FlowDirection.Out,
            (false, true) => FlowDirection.In,
            _ => FlowDirection.Forward,
        };
    }

    /// <summary>Whether an address is the host's own.</summary>
    public bool IsOwn(FlowFamily family, AddressBits address) => family == FlowFamily.IPv4
        ? (uint)address.Low >> 24 == LoopbackNetwork || _own4.Contains(address)
        : address is { High: 0, Low: 1 } || _own6.Contains(address);

    /// <summary>Whether a block is already in the set.</summary>
    /// <param name="block">The block.</param>
    /// <param name="isBroadcast">True to look among the broadcast addresses, false among the host's own.</param>
    public bool Has(AddressBlock block, bool isBroadcast) =>
        (isBroadcast ? _many4 : block.Family == FlowFamily.IPv4 ? _own4 : _own6).Contains(block);

    // Multicast and broadcast from elsewhere end on this host.
    private bool IsBroadcast(FlowFamily family, AddressBits address) =>
        address.IsMulticastOrBroadcast(family) || (family == FlowFamily.IPv4 && _many4.Contains(address));
}
