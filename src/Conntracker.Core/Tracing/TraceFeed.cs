using Conntracker.Core.Feeds;
using Conntracker.Core.Native;
using Conntracker.Core.Netlink;
using Conntracker.Core.Recording;
using Conntracker.Core.Tracing.Iptables;
using static Tmds.Linux.LibC;

namespace Conntracker.Core.Tracing;

/// <summary>
/// Puts the running kernel's reports of traced packets into a sink: nftables' messages with the changes of its ruleset, the TRACE lines of
/// iptables-legacy, and the texts of both rulesets whenever they have changed. Created and used on the capture's thread.
/// </summary>
internal sealed class TraceFeed : IFeedSource
{
    // Sixty thousand messages, half a second of what one processor can produce at most.
    private const int BufferSize = 64 << 20;
    private const int BatchesInTurn = 16;

    private static readonly long s_settling = TimeSpan.FromMilliseconds(100).Ticks;
    private static readonly long s_busy = TimeSpan.FromSeconds(2).Ticks;

    private readonly ITraceJoin _join;
    private readonly MessageSink _sink;
    private readonly CaptureNotices _notices;
    private readonly CaptureClock _clock;
    private readonly MulticastSource _nftables;
    private readonly NftablesRules _nftablesRules;
    private readonly IptablesFeed _iptables;
    private readonly Func<bool> _takeEvents;
    private long _lastMessage;
    private long _lastFlush;

    /// <summary>Opens the sources and requests the rulesets; nothing is traced yet.</summary>
    /// <param name="nftProgram">The path of the program that lists the nftables ruleset; null for the system's nft.</param>
    /// <param name="join">Joins the frames with flows.</param>
    /// <param name="sink">Gets the frames.</param>
    /// <param name="notices">Gets notices for the user.</param>
    /// <param name="clock">The capture's time.</param>
    /// <param name="wakeup">Set by the threads that read.</param>
    /// <param name="networkNamespace">The calling thread's network namespace.</param>
    /// <param name="takeEvents">Handles the queued events of connection tracking.</param>
    /// <exception cref="ConntrackException">The kernel has no nf_tables, or no privilege.</exception>
    public TraceFeed(
        string? nftProgram, ITraceJoin join, MessageSink sink, CaptureNotices notices, CaptureClock clock, Wakeup wakeup, NetworkNamespaceId networkNamespace,
        Func<bool> takeEvents)
    {
        _join = join;
        _sink = sink;
        _notices = notices;
        _clock = clock;
        _takeEvents = takeEvents;
        _nftables = MulticastSource.OpenNftablesTrace(BufferSize);
        try
        {
            _nftablesRules = new NftablesRules(nftProgram, join, sink, notices, clock, wakeup);
            _iptables = new IptablesFeed(sink, notices, clock, wakeup, networkNamespace);
        }
        catch
        {
            _nftablesRules?.Dispose();
            _nftables.Dispose();
            throw;
        }
    }

    /// <summary>Whether the rulesets were read for the first time, even without success.</summary>
    public bool HasRules => _nftablesRules.HasRead && _iptables.HasRules;

    /// <inheritdoc/>
    public int Number => _nftables.Number;

    /// <inheritdoc/>
    public long Due => Math.Min(
        _clock.Now - _lastMessage < s_busy ? _lastFlush + s_settling : long.MaxValue,
        Math.Min(_nftablesRules.Due, _iptables.Due));

    /// <inheritdoc/>
    public void Receive()
    {
        // First nftables, whose messages create the flows in which lines of iptables are looked up.
        long readUpTo = _clock.TimeOfDay;
        bool isDrained = ReceiveNftables();
        _nftablesRules.Take(isDrained);
        if (_iptables.Take())
        {
            _lastMessage = _clock.Now;
        }

        if (isDrained && _clock.Now - _lastFlush >= s_settling)
        {
            // Not up to now: this thread may have waited since, and later messages are not read yet.
            Flush(readUpTo);
        }
    }

    /// <inheritdoc/>
    public void Leave() => _nftables.Leave();

    /// <inheritdoc/>
    public void Finish()
    {
        while (!ReceiveNftables())
        {
        }

        _iptables.Take();
        _nftablesRules.Finish();
        _iptables.Finish();
        Flush(long.MaxValue);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _iptables.Dispose();
        _nftablesRules.Dispose();
        _nftables.Dispose();
    }

    // True when the queue was read to its end.
    private bool ReceiveNftables()
    {
        for (int turn = 0; turn < BatchesInTurn; turn++)
        {
            int received = _nftables.Receive();
            if (received == -ENOBUFS)
            {
                CountLost();
                continue;
            }

            if (received <= 0)
            {
                return true;
            }

            // The kernel reports a connection before anything replies to its first packet: the flows that these messages reply to are known first.
            _ = _takeEvents();
            _lastMessage = _clock.Now;
            _sink.Put(MessageKind.NftablesTrace, _lastMessage, _nftables.Batch, received);
        }

        return false;
    }

    private void CountLost()
    {
        // Even when the kernel does not report how many: a change of the ruleset may be among them.
        _sink.PutNumber(MessageKind.NftablesTraceLost, _clock.Now, _nftables.TakeDrops() ?? 0);
        _notices.Add("nftables-trace",
            "More packets were traced than could be read. Steps of some flows are missing, and packet counts are too low. " +
                "Trace selected flows instead of all flows.");
    }

    private void Flush(long now)
    {
        _lastFlush = _clock.Now;
        _join.Flush(now);
    }
}
