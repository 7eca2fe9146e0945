namespace Conntracker.Core.Packets;

/// <summary>What came of a packet's bytes.</summary>
internal enum PacketResult
{
    /// <summary>It has a tuple.</summary>
    Decoded,

    /// <summary>A later fragment: a tuple without ports.</summary>
    LaterFragment,

    /// <summary>Of another protocol than IP.</summary>
    NotIp,

    /// <summary>Cut off, or in contradiction to itself.</summary>
    Malformed,
}
