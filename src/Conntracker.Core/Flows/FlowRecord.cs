using System.Runtime.InteropServices;
using Conntracker.Core.Native;

namespace Conntracker.Core.Flows;

/// <summary>
/// One flow as the table holds it: 120 bytes, what a lookup or an update touches first. Counters live apart, because most hosts
/// do not count.
/// </summary>
[StructLayout(LayoutKind.Sequential, Pack = 4)]
internal struct FlowRecord
{
    private const int FoldingShift = 2;

    /// <summary>Original tuple and zone; its family is <see cref="FlowFamily.None"/> when the place is free.</summary>
    public FlowKey Key;

    /// <summary>The next place of the same bucket, or of the list of free places: place number + 1; 0 at the end.</summary>
    public int Next;

    /// <summary>IPS_* bits of the newest connection.</summary>
    public uint Status;

    /// <summary>The kernel's id of the newest connection.</summary>
    public uint Id;

    /// <summary>The connection mark.</summary>
    public uint Mark;

    /// <summary>How many connections the flow stands for; stays at its maximum once there.</summary>
    public uint Connections;

    /// <summary>The protocol's state as the kernel numbers it.</summary>
    public byte ProtocolState;

    /// <summary>Closed, replied, folding.</summary>
    public FlowFlags Flags;

    /// <summary>
    /// The number of the dump that saw it last; of a folded flow, <see cref="OpenConnections"/>; of a flow of packets,
    /// <see cref="SeenDirections"/>.
    /// </summary>
    public ushort Epoch;

    /// <summary>The reply tuple.</summary>
    public FlowEndpoints Reply;

    /// <summary>What is known beside: a number for <see cref="FlowDetailStore"/>; 0 for nothing.</summary>
    public int Details;

    /// <summary>When it began: ticks of UTC.</summary>
    public long FirstSeen;

    /// <summary>When the kernel last told something new of it: ticks of UTC.</summary>
    public long LastSeen;

    /// <summary>Whether the place is taken.</summary>
    public readonly bool IsUsed => Key.Family != FlowFamily.None;

    /// <summary>Whether the newest connection is gone.</summary>
    public readonly bool IsClosed => (Flags & FlowFlags.Closed) != 0;

    /// <summary>Whether both sides have spoken.</summary>
    public readonly bool IsReplied => (Flags & FlowFlags.Replied) != 0;

    /// <summary>Whether only traces told of it so far.</summary>
    public readonly bool IsUnconfirmed => (Flags & FlowFlags.Unconfirmed) != 0;

    /// <summary>Whether packets told of it, not connection tracking.</summary>
    public readonly bool IsOfPackets => (Flags & FlowFlags.OfPackets) != 0;

    /// <summary>Whether no event has spoken of the newest connection, so that only a dump shows what becomes of it.</summary>
    public readonly bool IsEventless => (Flags & FlowFlags.Eventless) != 0;

    /// <summary>What of the key was folded.</summary>
    public FlowFolding Folding
    {
        readonly get => (FlowFolding)((int)(Flags & FlowFlags.FoldingMask) >> FoldingShift);
        set => Flags = (Flags & ~FlowFlags.FoldingMask) | (FlowFlags)((int)value << FoldingShift);
    }

    /// <summary>The state that users see.</summary>
    public readonly FlowState State =>
        IsClosed ? FlowState.Closed
        : (Status & ConntrackConstants.IPS_ASSURED) != 0 ? FlowState.Assured
        : (Status & ConntrackConstants.IPS_SEEN_REPLY) != 0 ? FlowState.Replied
        : FlowState.New;

    /// <summary>Of a folded flow: how many of its connections are open; stays at its maximum once there. No dump looks at a folded flow.</summary>
    public ushort OpenConnections
    {
        readonly get => Epoch;
        set => Epoch = value;
    }

    /// <summary>Of a flow of packets that is not folded: what they have shown. No dump tells of it.</summary>
    public SeenDirections SeenDirections
    {
        readonly get => (SeenDirections)Epoch;
        set => Epoch = (ushort)value;
    }

    /// <summary>Counts further open connections of a folded flow.</summary>
    public void AddOpenConnections(int count)
    {
        OpenConnections = (ushort)Math.Min(ushort.MaxValue, OpenConnections + count);
        Flags = OpenConnections > 0 ? Flags & ~FlowFlags.Closed : Flags;
    }

    /// <summary>A connection of a folded flow has ended: with the last one it is closed.</summary>
    public void EndOpenConnection()
    {
        OpenConnections -= OpenConnections is 0 or ushort.MaxValue ? (ushort)0 : (ushort)1;
        Flags |= OpenConnections == 0 ? FlowFlags.Closed : FlowFlags.None;
    }

    /// <summary>Counts further connections.</summary>
    public void AddConnections(uint count) => Connections = uint.MaxValue - Connections < count ? uint.MaxValue : Connections + count;
}
