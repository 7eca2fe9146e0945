using System.Net;
using Conntracker.Core.Addresses;

namespace Conntracker.Core.Policies.Suggestions;

/// <summary>The host's own addresses: given by the user, and shown by the flows.</summary>
internal sealed class OwnAddresses
{
    private readonly HashSet<AddressBlock> _own = [];
    private readonly bool _areGiven;

    /// <summary>The addresses that the user gave.</summary>
    public OwnAddresses(IEnumerable<IPAddress> given)
    {
        foreach (IPAddress address in given)
        {
            Add(address);
        }

        _areGiven = _own.Count > 0;
    }

    /// <summary>All of them, in a fixed order.</summary>
    public IReadOnlyList<AddressBlock> All => [.. _own.OrderBy(each => each.Family).ThenBy(each => each.First)];

    /// <summary>How many there are of a family.</summary>
    public int Count(FlowFamily family) => _own.Count(each => each.Family == family);

    /// <summary>Whether a block is one of the host's addresses.</summary>
    public bool Contains(AddressBlock block) => _own.Contains(block) || IsLoopback(block);

    /// <summary>Whether an address goes to many hosts whatever the networks are: multicast, or 255.255.255.255.</summary>
    public static bool IsForMany(AddressBlock block) => block.First.IsMulticastOrBroadcast(block.Family);

    /// <summary>Whether the address is the unspecified one, which a host has while it waits for DHCP.</summary>
    public static bool IsUnspecified(AddressBlock block) => block.First is { High: 0, Low: 0 } && block.Size == 1;

    /// <summary>The flow's direction, found by the addresses that the user gave where the flow has none.</summary>
    public FlowDirection DirectionOf(Flow flow)
    {
        if (flow.Direction != FlowDirection.Unknown || !_areGiven)
        {
            return flow.Direction;
        }

        bool fromHere = Contains(BlockOf(flow.SrcAddress));
        AddressBlock destination = BlockOf(flow.ReplySrcAddress ?? flow.DstAddress);
        bool toHere = Contains(destination) || (!fromHere && IsForMany(destination));
        return (fromHere, toHere) switch
        {
            (true, true) => FlowDirection.Local,
            (true, false) => FlowDirection.Out,
            (false, true) => FlowDirection.In,
            _ => FlowDirection.Forward,
        };
    }

    /// <summary>Learns the addresses that a flow shows to be the host's: who sent an outgoing flow, and who answered an incoming one.</summary>
    public void Learn(Flow flow, FlowDirection direction)
    {
        if (direction is FlowDirection.Out or FlowDirection.Local && flow.Folding is not (FlowFolding.Client or FlowFolding.Protocol))
        {
            Add(flow.SrcAddress);
        }

        if (direction is FlowDirection.Local || (direction == FlowDirection.In && flow.Confirmed && flow.Folding != FlowFolding.Protocol))
        {
            Add(flow.ReplySrcAddress ?? flow.DstAddress);
        }
    }

    /// <summary>The block of one address.</summary>
    public static AddressBlock BlockOf(IPAddress address) => AddressBlock.Of(AddressText.Family(address), AddressBits.From(address));

    private void Add(IPAddress address)
    {
        AddressBlock block = BlockOf(address);
        if (!IsForMany(block) && !IsUnspecified(block) && !IsLoopback(block))
        {
            _own.Add(block);
        }
    }

    private static bool IsLoopback(AddressBlock block) => block.Family == FlowFamily.IPv4
        ? (uint)block.First.Low >> 24 == 127
        : block.First is { High: 0, Low: 1 };
}
