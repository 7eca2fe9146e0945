using Conntracker.Core.Feeds;
using Conntracker.Core.Netlink;
using Conntracker.Core.Recording;

namespace Conntracker.Core.Tracing.Iptables;

/// <summary>
/// One capture's share of NFLOG group 0: every datagram since it subscribed, in a queue of its own. Read by one thread.
/// </summary>
internal sealed class NflogSubscriber : IIptablesLines
{
    private readonly DatagramRing _ring;
    private readonly Wakeup _arrived;
    private readonly Action<NflogSubscriber> _detach;
    private long _lost;
    private volatile Exception? _error;
    private bool _isDisposed;

    /// <summary>For <see cref="NflogSockets.Attach"/> only.</summary>
    /// <param name="arrived">Set when there is something to read. The caller owns it.</param>
    /// <param name="detach">Called once, at the end.</param>
    /// <param name="capacity">The queue's size, in bytes.</param>
    public NflogSubscriber(Wakeup arrived, Action<NflogSubscriber> detach, int capacity)
    {
        _arrived = arrived;
        _detach = detach;
        _ring = new DatagramRing(capacity);
    }

    /// <inheritdoc/>
    public MessageKind Kind => MessageKind.Nflog;

    /// <inheritdoc/>
    public TimeSpan? Interval => null;

    /// <summary>The error that ended the reading thread, after which nothing arrives; null while it runs.</summary>
    public Exception? Error => _error;

    /// <summary>A mark behind the datagrams received so far: see <see cref="HasBefore"/>.</summary>
    public long End => _ring.End;

    /// <summary>Does nothing: the reading thread adds datagrams.</summary>
    public void Receive()
    {
    }

    /// <summary>Whether there is a datagram that arrived before a mark was set.</summary>
    public bool HasBefore(long end) => _ring.HasBefore(end);

    /// <summary>The oldest datagram, valid until <see cref="Release"/>; false when there is none.</summary>
    public bool TryRead(out ReadOnlySpan<byte> line) => _ring.TryRead(out line);

    /// <summary>Moves to the next datagram.</summary>
    public void Release() => _ring.Release();

    /// <summary>How many lines were lost since the last call: in the kernel, or because this queue was full.</summary>
    public long TakeLost() => Interlocked.Exchange(ref _lost, 0);

    /// <summary>Adds a datagram. For the reading thread only, as are the members below.</summary>
    /// <param name="datagram">Its bytes.</param>
    /// <param name="lines">How many lines it holds: that many are lost when there is no room.</param>
    public void Put(ReadOnlySpan<byte> datagram, int lines)
    {
        if (!_ring.TryWrite(datagram))
        {
            CountLost(lines);
        }
    }

    /// <summary>Counts lost lines.</summary>
    public void CountLost(long lines) => Interlocked.Add(ref _lost, lines);

    /// <summary>Wakes the thread that reads.</summary>
    public void Wake() => _arrived.Set();

    /// <summary>Reports that datagrams have stopped.</summary>
    public void Fail(Exception error)
    {
        _error = error;
        _arrived.Set();
    }

    /// <summary>Unsubscribes. The last subscriber of a network namespace releases the group.</summary>
    public void Dispose()
    {
        if (!_isDisposed)
        {
            _isDisposed = true;
            _detach(this);
            _ring.Dispose();
        }
    }
}
