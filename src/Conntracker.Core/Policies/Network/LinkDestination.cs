namespace Conntracker.Core.Policies.Network;

/// <summary>To whom the link-layer header of a frame is addressed.</summary>
internal enum LinkDestination
{
    /// <summary>As the destination address says: all for 255.255.255.255, the group for multicast, the interface itself for the rest.</summary>
    ByAddress,

    /// <summary>The interface itself.</summary>
    Own,

    /// <summary>All: for the broadcast address of a subnet, which only the routes show.</summary>
    Broadcast,
}
