namespace Conntracker.Core.Flows;

/// <summary>What the table knows of a flow beyond the kernel's own status bits.</summary>
[Flags]
internal enum FlowFlags : byte
{
    /// <summary>Nothing.</summary>
    None = 0,

    /// <summary>The kernel's table no longer holds the newest connection.</summary>
    Closed = 1,

    /// <summary>Packets were seen in both directions, in any connection of the flow.</summary>
    Replied = 2,

    /// <summary>Bits 2 and 3: a <see cref="FlowFolding"/>.</summary>
    FoldingMask = 0xc,

    /// <summary>The kernel has counted packets and bytes for it.</summary>
    Counted = 0x10,

    /// <summary>Only traces have shown the flow: connection tracking has not confirmed it, because a rule dropped its packets or exempted them.</summary>
    Unconfirmed = 0x20,

    /// <summary>Packets have shown the flow, not connection tracking: its counters are the sum of what was seen, and no message reports its end.</summary>
    OfPackets = 0x40,

    /// <summary>
    /// Only dumps have shown the newest connection, which was open before the capture: the kernel may send no events for it, not even for its end.
    /// </summary>
    Eventless = 0x80,
}
