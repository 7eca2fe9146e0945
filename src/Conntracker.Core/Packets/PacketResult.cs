namespace Conntracker.Core.Packets;

/// <summary>The result of decoding a packet.</summary>
internal enum PacketResult
{
    /// <summary>The packet has a tuple.</summary>
    Decoded,

    /// <summary>A later fragment: a tuple without ports.</summary>
    LaterFragment,

    /// <summary>Not an IP packet.</summary>
    NotIp,

    /// <summary>Truncated, or with headers that contradict each other.</summary>
    Malformed,
}
