using System.Collections.Frozen;

namespace Conntracker.Core.Flows;

/// <summary>
/// The host's own addresses, as far as they were seen since the start: an address that went away stays, because flows of its time
/// are still shown. Immutable, so that a snapshot keeps the one it was taken with.
/// </summary>
internal sealed class LocalAddresses
{
    private const uint LoopbackNetwork = 127;

    private readonly FrozenSet<(FlowFamily Family, AddressBits Address)> _own;
    private readonly FrozenSet<AddressBits> _broadcasts;

    private LocalAddresses(IEnumerable<(FlowFamily, AddressBits)> own, IEnumerable<AddressBits> broadcasts)
    {
        _own = own.ToFrozenSet();
        _broadcasts = broadcasts.ToFrozenSet();
    }

    /// <summary>No address known: no direction can be told.</summary>
    public static LocalAddresses None { get; } = new([], []);

    /// <summary>These and one more.</summary>
    public LocalAddresses With(FlowFamily family, AddressBits address, AddressBits? broadcast)
    {
        bool isKnown = _own.Contains((family, address)) && (broadcast is not AddressBits known || _broadcasts.Contains(known));
        return isKnown
            ? this
            : new LocalAddresses([.. _own, (family, address)], broadcast is AddressBits more ? [.. _broadcasts, more] : _broadcasts);
    }

    /// <summary>
    /// Where a flow goes: its source before NAT says whether it began here, and who answers (the destination after NAT) whether it
    /// ends here.
    /// </summary>
    public FlowDirection DirectionOf(ref readonly FlowRecord record)
    {
        if (_own.Count == 0 || record.Folding >= FlowFolding.Client)
        {
            return FlowDirection.Unknown;
        }

        FlowFamily family = record.Key.Family;
        bool fromHere = IsOwn(family, record.Key.Original.Src);
        bool toHere = IsOwn(family, record.Reply.Src) || (!fromHere && IsForMany(family, record.Key.Original.Dst));
        return (fromHere, toHere) switch
        {
            (true, true) => FlowDirection.Local,
            (true, false) => FlowDirection.Out,
            (false, true) => FlowDirection.In,
            _ => FlowDirection.Forward,
        };
    }

    /// <summary>Whether an address is one of the host's own.</summary>
    public bool IsOwn(FlowFamily family, AddressBits address) =>
        (family == FlowFamily.IPv4 ? (uint)address.Low >> 24 == LoopbackNetwork : address is { High: 0, Low: 1 })
        || _own.Contains((family, address));

    // Multicast and broadcast from elsewhere end here, as far as this host is concerned.
    private bool IsForMany(FlowFamily family, AddressBits address) => family == FlowFamily.IPv4
        ? (uint)address.Low >> 28 == 0xe || (uint)address.Low == uint.MaxValue || _broadcasts.Contains(address)
        : address.High >> 56 == 0xff;
}
