using Conntracker.Core.Feeds;
using Conntracker.Core.HostAddresses;
using Conntracker.Core.Native;
using Conntracker.Core.Netlink;
using Conntracker.Core.Recording;
using static Tmds.Linux.LibC;

namespace Conntracker.Core.Conntrack;

/// <summary>
/// Passes what the running kernel reports about connections to a sink: events as they come, the table when it is requested, and the addresses
/// of the interfaces. After an overrun the table is read again and merged. The kernel's socket buffer is the only queue.
/// Created and used on one thread, which is in the network namespace.
/// </summary>
internal sealed class ConntrackFeed : IDisposable
{
    private readonly MessageSink _sink;
    private readonly CaptureNotices _notices;
    private readonly CaptureClock _clock;
    private readonly Wakeup _wakeup;
    private readonly MulticastSource _events;
    private readonly TableFeed _table;
    private readonly List<IFeedSource> _more = [];
    private bool _hasOverrun;

    /// <summary>Opens the sources; events are queued from here on.</summary>
    /// <param name="bufferSize">The receive buffer for events, in bytes.</param>
    /// <param name="hasEventless">Whether there are open flows that only a dump can follow.</param>
    /// <param name="sink">Receives the messages.</param>
    /// <param name="notices">Receives notices for the user.</param>
    /// <param name="clock">The capture's time.</param>
    /// <param name="wakeup">Ends <see cref="WaitAndTake"/> early.</param>
    /// <exception cref="ConntrackException">A privilege is missing, or the kernel has no netlink interface of connection tracking.</exception>
    public ConntrackFeed(int bufferSize, Func<bool> hasEventless, MessageSink sink, CaptureNotices notices, CaptureClock clock, Wakeup wakeup)
    {
        _sink = sink;
        _notices = notices;
        _clock = clock;
        _wakeup = wakeup;
        _events = MulticastSource.OpenConntrackEvents(bufferSize);
        try
        {
            _table = new TableFeed(new DumpReader(wakeup), hasEventless, sink, notices, clock, wakeup);
            _more.Add(new AddressFeed(sink, clock));
        }
        catch
        {
            _table?.Dispose();
            _events.Dispose();
            throw;
        }

        if (_events.BufferSize < bufferSize)
        {
            _notices.Add("buffer", $"The kernel granted a receive buffer of {_events.BufferSize} bytes, not {bufferSize}: " +
                "net.core.rmem_max limits it without CAP_NET_ADMIN. More events may be lost in a burst.");
        }
    }

    /// <summary>The kernel's cookie of the network namespace.</summary>
    public ulong NamespaceCookie => _events.NamespaceCookie;

    /// <summary>The network namespace.</summary>
    public NetworkNamespaceId Namespace => NetworkNamespaceId.OfThread(_events.NamespaceCookie);

    /// <summary>
    /// Adds a source, which is disposed with the feed. Its messages follow the events of connection tracking that were queued before them.
    /// A source may add another one while it is called.
    /// </summary>
    public void Add(IFeedSource source) => _more.Add(source);

    /// <summary>Whether the flows that were open before have been read.</summary>
    public bool HasTable => _table.HasRead;

    /// <summary>Requests the kernel's table for the first time.</summary>
    public void Start() => _table.Request(DumpReason.Start);

    /// <summary>Has the kernel's table read soon, because a reader needs its current content.</summary>
    public void WantRefresh() => _table.WantRefresh();

    /// <summary>
    /// Waits until the kernel has sent something, another thread wakes this one, or the time is over, and reads what is queued. Reads the table
    /// again when that is due.
    /// </summary>
    /// <param name="until">The latest time to return: ticks of <see cref="CaptureClock.Now"/>.</param>
    public void WaitAndTake(long until)
    {
        bool isDrained = !Wait(until) || TakeEvents();
        for (int i = 0; i < _more.Count; i++)
        {
            _more[i].Receive();
        }

        _table.Take();
        if (isDrained && _clock.Now >= _table.Due)
        {
            CountLost();
            _table.RequestNext();
        }
    }

    /// <summary>
    /// Ends the feed: reads what the kernel has queued, repairs what was lost, and reads the counters for the last time.
    /// </summary>
    /// <param name="readCounters">Whether the kernel counts.</param>
    public void Finish(bool readCounters)
    {
        for (int i = 0; i < _more.Count; i++)
        {
            _more[i].Leave();
        }

        _events.Leave();
        while (!TakeEvents())
        {
        }

        for (int i = 0; i < _more.Count; i++)
        {
            _more[i].Finish();
        }

        CountLost();
        _table.Finish(readCounters);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        for (int i = 0; i < _more.Count; i++)
        {
            _more[i].Dispose();
        }

        _table.Dispose();
        _events.Dispose();
    }

    // True if events are queued.
    private bool Wait(long until) => FeedPoll.Wait(_wakeup, _events.Number, _more, Math.Min(until, _table.Due), _clock.Now);

    /// <summary>Reads the queued events.</summary>
    /// <returns>True if the queue was read to its end.</returns>
    public bool TakeEvents()
    {
        // A flood of events must not keep a dump from continuing.
        const int BatchesInTurn = 16;
        for (int turn = 0; turn < BatchesInTurn; turn++)
        {
            int received = _events.Receive();
            if (received > 0)
            {
                _sink.Put(MessageKind.ConntrackEvent, _clock.Now, _events.Batch, received);
                if (received < _events.Batch.Capacity)
                {
                    return true;
                }
            }
            else if (received == -ENOBUFS)
            {
                _hasOverrun = true;
                _table.NeedRepair();
                _sink.Put(MessageKind.Overrun, _clock.Now);
                _notices.Add("overrun", "The receive buffer overran and events were lost. The kernel's table is read again and merged. " +
                    "Connections that began and ended in between are missing. Use a larger buffer (-BufferSize, --buffer-size).");
            }
            else
            {
                return received == -EAGAIN;
            }
        }

        return false;
    }

    private void CountLost()
    {
        if (_events.TakeDrops() is not long lost)
        {
            if (_hasOverrun)
            {
                _notices.Add("drops",
                    "The number of events lost in an overrun is not known: /proc/net/netlink cannot be read or does not list the socket. Lost is too low.");
            }
        }
        else if (lost > 0)
        {
            _sink.PutNumber(MessageKind.Lost, _clock.Now, lost);
        }
    }
}
