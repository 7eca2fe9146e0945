namespace Conntracker.Core.Tracing;

/// <summary>The phases of a traced packet: Free, Moving, Held, Free; a packet whose flow is known at its end is never Held.</summary>
internal enum PacketPhase : byte
{
    /// <summary>No packet: the slot is free.</summary>
    Free,

    /// <summary>Further messages are expected.</summary>
    Moving,

    /// <summary>No further messages are expected, but its flow is not known yet.</summary>
    Held,
}

/// <summary>Whether a packet has traversed our last chain. A drop behind that chain takes it back to <see cref="No"/>.</summary>
internal enum PacketPass : byte
{
    /// <summary>It has not, or a later chain has dropped it.</summary>
    No,

    /// <summary>It has; its flow does not show it yet.</summary>
    Seen,

    /// <summary>Its flow shows it.</summary>
    Recorded,

    /// <summary>Its flow shows it, and shows it because of this packet.</summary>
    RecordedFirst,
}
