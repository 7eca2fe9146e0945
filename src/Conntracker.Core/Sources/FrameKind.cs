namespace Conntracker.Core.Sources;

/// <summary>What a capture is fed with, live or from a recording. The numbers stand in recordings: never change one.</summary>
internal enum FrameKind : byte
{
    /// <summary>A datagram of conntrack events.</summary>
    ConntrackEvent = 1,

    /// <summary>A datagram of a conntrack dump; its end is in it.</summary>
    ConntrackDump = 2,

    /// <summary>A datagram of interface addresses (rtnetlink).</summary>
    Addresses = 3,

    /// <summary>A dump was asked for. Data: one byte, a <see cref="DumpReason"/>.</summary>
    DumpRequested = 4,

    /// <summary>The event socket's buffer overran. No data.</summary>
    Overrun = 5,

    /// <summary>Messages that the kernel could not queue. Data: their number, 64 bits, little-endian.</summary>
    Lost = 6,

    /// <summary>A datagram was longer than its buffer. No data.</summary>
    Truncated = 7,

    /// <summary>The recording's regular end. No data.</summary>
    End = 255,
}
