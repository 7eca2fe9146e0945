using Conntracker.Core.Recording;

namespace Conntracker.Core.Tracing.Iptables;

/// <summary>Received TRACE lines of iptables-legacy in their order, until they are read. Used on the capture's thread.</summary>
internal interface IIptablesLines : IDisposable
{
    /// <summary>The kind of frame that a line becomes.</summary>
    MessageKind Kind { get; }

    /// <summary>How often to call <see cref="Receive"/> without a wakeup; null when the capture's wakeup is set for each line.</summary>
    TimeSpan? Interval { get; }

    /// <summary>Why lines have stopped; null while the source works.</summary>
    Exception? Error { get; }

    /// <summary>A mark behind the lines received so far: see <see cref="HasBefore"/>.</summary>
    long End { get; }

    /// <summary>Receives queued lines, without waiting.</summary>
    void Receive();

    /// <summary>Whether there is a line that arrived before a mark was set.</summary>
    bool HasBefore(long end);

    /// <summary>The oldest line, valid until <see cref="Release"/>; false when there is none.</summary>
    bool TryRead(out ReadOnlySpan<byte> line);

    /// <summary>Moves to the next line.</summary>
    void Release();

    /// <summary>How many lines were lost since the last call.</summary>
    long TakeLost();
}
