using Conntracker.Core.Netlink;
using Conntracker.Core.Recording;

namespace Conntracker.Core.Tracing.Iptables;

/// <summary>The TRACE lines among the records of the kernel's log; others are passed on as well.</summary>
internal sealed class KernelLogLines : IIptablesLines
{
    // A limit, so that a flood of records does not delay events.
    private const int RecordsInTurn = 4096;

    private readonly KernelLogSource _source = new();
    private readonly DatagramRing _ring = new();
    private long _lost;

    /// <inheritdoc/>
    public MessageKind Kind => MessageKind.KernelLog;

    /// <inheritdoc/>
    public TimeSpan? Interval { get; } = TimeSpan.FromMilliseconds(50);

    /// <inheritdoc/>
    public Exception? Error { get; private set; }

    /// <inheritdoc/>
    public long End => _ring.End;

    /// <inheritdoc/>
    public void Receive()
    {
        try
        {
            for (int turn = 0; turn < RecordsInTurn && Error is null && _source.TryRead(out ReadOnlySpan<byte> record); turn++)
            {
                _lost += _ring.TryWrite(record) ? 0 : 1;
            }
        }
        catch (ConntrackException error)
        {
            Error = error;
        }
    }

    /// <inheritdoc/>
    public bool HasBefore(long end) => _ring.HasBefore(end);

    /// <inheritdoc/>
    public bool TryRead(out ReadOnlySpan<byte> line) => _ring.TryRead(out line);

    /// <inheritdoc/>
    public void Release() => _ring.Release();

    /// <inheritdoc/>
    public long TakeLost()
    {
        long lost = _lost + _source.TakeLost();
        _lost = 0;
        return lost;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _source.Dispose();
        _ring.Dispose();
    }
}
