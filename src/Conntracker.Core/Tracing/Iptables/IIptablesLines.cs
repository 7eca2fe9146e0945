



using Conntracker.Core.Recording;

namespace Conntracker.Core.Tracing.Iptables;

/// <summary>TRACE lines of iptables-legacy that have come and wait to be taken, in their order. Used on the capture's thread.</summary>
internal interface IIptablesLines : IDisposable
{
    /// <summary>What a line is, as a frame.</summary>
    MessageKind Kind { get; }

    /// <summary>When <see cref="Receive"/> is to be called though nobody has set the capture's wakeup; null when it is set for each line.</summary>
    TimeSpan? Interval { get; }

    /// <summary>Why nothing comes any more; null while all is well.</summary>
    Exception? Error { get; }

    /// <summary>Marks what was received so far: see <see cref="HasBefore"/>.</summary>
    long End { get; }

    /// <summary>Receives what has come, without waiting.</summary>
    void Receive();

    /// <summary>Whether there is a line that had come before a mark was set.</summary>
    bool HasBefore(long end);

    /// <summary>The oldest line, valid until <see cref="Release"/>; false when there is none.</summary>
    bool TryRead(out ReadOnlySpan<byte> line);

    /// <summary>Goes on to the next line.</summary>
    void Release();

    /// <summary>How many lines were lost since the last call.</summary>
    long TakeLost();
}
