using System.Diagnostics;
using System.Runtime.InteropServices;
using Conntracker.Core.Native;

namespace Conntracker.Core.Flows;

/// <summary>
/// A flow's record in the table: 120 bytes, with everything that a lookup or an update touches first. Counters are stored separately, because most
/// hosts do not count.
/// </summary>
[StructLayout(LayoutKind.Sequential, Pack = 4)]
internal struct FlowRecord
{
    private const int FoldingShift = 2;

    /// <summary>Original tuple and zone; its family is <see cref="FlowFamily.None"/> when the slot is free.</summary>
    public FlowKey Key;

    /// <summary>The next slot of the same bucket, or of the list of free slots: slot number + 1; 0 at the end.</summary>
    public int Next;

    /// <summary>IPS_* bits of the newest connection.</summary>
    public uint Status;

    /// <summary>The kernel's id of the newest connection.</summary>
    public uint Id;

    /// <summary>The connection mark.</summary>
    public uint Mark;

    /// <summary>The number of connections that the flow stands for; saturates.</summary>
    public uint Connections;

    /// <summary>The protocol's state as the kernel numbers it.</summary>
    public byte ProtocolState;

    /// <summary>Closed, replied, folding.</summary>
    public FlowFlags Flags;

    // One of three values, by the kind of flow: no flow needs two of them. OpenConnections for a folded flow; for others SeenDirections if packets
    // have shown the flow, or LastDump.
    private ushort _byKind;

    /// <summary>The reply tuple.</summary>
    public FlowEndpoints Reply;

    /// <summary>A number in <see cref="FlowDetailStore"/>; 0 for no details.</summary>
    public int Details;

    /// <summary>When it began: ticks of UTC.</summary>
    public long FirstSeen;

    /// <summary>When the kernel last reported something new: ticks of UTC.</summary>
    public long LastSeen;

    /// <summary>Whether the slot holds a flow.</summary>
    public readonly bool IsUsed => Key.Family != FlowFamily.None;

    /// <summary>Whether the newest connection has ended.</summary>
    public readonly bool IsClosed => (Flags & FlowFlags.Closed) != 0;

    /// <summary>Whether packets were seen in both directions.</summary>
    public readonly bool IsReplied => (Flags & FlowFlags.Replied) != 0;

    /// <summary>Whether only traces have shown the flow so far.</summary>
    public readonly bool IsUnconfirmed => (Flags & FlowFlags.Unconfirmed) != 0;

    /// <summary>Whether packets have shown the flow, not connection tracking.</summary>
    public readonly bool IsOfPackets => (Flags & FlowFlags.OfPackets) != 0;

    /// <summary>Whether no event has reported the newest connection, so that only a dump shows what becomes of it.</summary>
    public readonly bool IsEventless => (Flags & FlowFlags.Eventless) != 0;

    /// <summary>Which part of the key was folded.</summary>
    public FlowFolding Folding
    {
        readonly get => (FlowFolding)((int)(Flags & FlowFlags.FoldingMask) >> FoldingShift);
        set => Flags = (Flags & ~FlowFlags.FoldingMask) | (FlowFlags)((int)value << FoldingShift);
    }

    /// <summary>The public state.</summary>
    public readonly FlowState State =>
        IsClosed ? FlowState.Closed
        : (Status & ConntrackConstants.IPS_ASSURED) != 0 ? FlowState.Assured
        : (Status & ConntrackConstants.IPS_SEEN_REPLY) != 0 ? FlowState.Replied
        : FlowState.New;

    /// <summary>The number of the last dump that showed the flow. Only of a flow of connection tracking that is not folded.</summary>
    public ushort LastDump
    {
        readonly get => ByKind(isFolded: false);
        set => SetByKind(isFolded: false, value);
    }

    /// <summary>What the packets of the flow have shown. Only of a flow of packets that is not folded.</summary>
    public SeenDirections SeenDirections
    {
        readonly get => (SeenDirections)ByKind(isFolded: false);
        set => SetByKind(isFolded: false, (ushort)value);
    }

    /// <summary>The number of open connections; saturates. Only of a folded flow.</summary>
    public ushort OpenConnections
    {
        readonly get => ByKind(isFolded: true);
        set => SetByKind(isFolded: true, value);
    }

    /// <summary>Makes a folded flow of one that is not, with its newest connection if that is open.</summary>
    public void BeginFolding(FlowFolding level)
    {
        Folding = level;
        OpenConnections = IsClosed ? (ushort)0 : (ushort)1;
    }

    /// <summary>The original direction's tuple after NAT, in zone 0.</summary>
    public readonly FlowKey Translated()
    {
        FlowKey reply = Key with { Original = Reply, Zone = 0 };
        return FlowKey.Reverse(in reply);
    }

    /// <summary>Adds open connections to a folded flow.</summary>
    public void AddOpenConnections(int count)
    {
        OpenConnections = (ushort)Math.Min(ushort.MaxValue, OpenConnections + count);
        Flags = OpenConnections > 0 ? Flags & ~FlowFlags.Closed : Flags;
    }

    /// <summary>Ends a connection of a folded flow. The flow is closed with its last one.</summary>
    public void EndOpenConnection()
    {
        OpenConnections -= OpenConnections is 0 or ushort.MaxValue ? (ushort)0 : (ushort)1;
        Flags |= OpenConnections == 0 ? FlowFlags.Closed : FlowFlags.None;
    }

    /// <summary>Adds connections.</summary>
    public void AddConnections(uint count) => Connections = uint.MaxValue - Connections < count ? uint.MaxValue : Connections + count;

    private readonly ushort ByKind(bool isFolded)
    {
        Debug.Assert((Folding != FlowFolding.None) == isFolded, "The value belongs to another kind of flow.");
        return _byKind;
    }

    private void SetByKind(bool isFolded, ushort value)
    {
        Debug.Assert((Folding != FlowFolding.None) == isFolded, "The value belongs to another kind of flow.");
        _byKind = value;
    }
}
