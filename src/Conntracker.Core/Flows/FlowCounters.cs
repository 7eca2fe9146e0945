namespace Conntracker.Core.Flows;

/// <summary>Packets and bytes of both directions: 32 bytes.</summary>
internal struct FlowCounters
{
    /// <summary>Packets in the original direction.</summary>
    public ulong Packets;

    /// <summary>Bytes in the original direction.</summary>
    public ulong Bytes;

    /// <summary>Packets in the reply direction.</summary>
    public ulong ReplyPackets;

    /// <summary>Bytes in the reply direction.</summary>
    public ulong ReplyBytes;

    /// <summary>The sum of each counter.</summary>
    public static FlowCounters operator +(in FlowCounters a, in FlowCounters b) => new()
    {
        Packets = a.Packets + b.Packets,
        Bytes = a.Bytes + b.Bytes,
        ReplyPackets = a.ReplyPackets + b.ReplyPackets,
        ReplyBytes = a.ReplyBytes + b.ReplyBytes,
    };

    /// <summary>The greater value of each counter.</summary>
    public static FlowCounters Max(in FlowCounters a, in FlowCounters b) => new()
    {
        Packets = Math.Max(a.Packets, b.Packets),
        Bytes = Math.Max(a.Bytes, b.Bytes),
        ReplyPackets = Math.Max(a.ReplyPackets, b.ReplyPackets),
        ReplyBytes = Math.Max(a.ReplyBytes, b.ReplyBytes),
    };

    /// <summary>Whether nothing was counted.</summary>
    public readonly bool IsZero => (Packets | Bytes | ReplyPackets | ReplyBytes) == 0;
}
