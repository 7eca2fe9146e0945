using Conntracker.Core.Native;
using Conntracker.Core.Sources;

namespace Conntracker.Core.Capture;

/// <summary>
/// What the running kernel tells of its connections, put into a sink: events as they come, the table when it is asked for, the
/// addresses of the interfaces. After an overrun the table is read again and merged. The kernel's socket buffer is the only queue.
/// Made and used on one thread, which is in the network namespace.
/// </summary>
internal sealed class KernelFeed : IDisposable
{
    /// <summary>Between the starts of two dumps that repair.</summary>
    private static readonly TimeSpan s_repairInterval = TimeSpan.FromSeconds(1);

    private readonly FlowCollector _collector;
    private readonly FrameSink _sink;
    private readonly CaptureNotices _notices;
    private readonly CaptureClock _clock;
    private readonly Wakeup _wakeup;
    private readonly MulticastSource _events;
    private readonly DumpReader _dump;
    private readonly List<IFeedSource> _more = [];
    private bool _isRepairNeeded;
    private long _lastDump;

    /// <summary>Opens the sources; events are queued from here on.</summary>
    /// <param name="bufferSize">The receive buffer for events, in bytes.</param>
    /// <param name="collector">Tells how far a dump is.</param>
    /// <param name="sink">Gets the frames.</param>
    /// <param name="notices">Gets what the user ought to know.</param>
    /// <param name="clock">The capture's time.</param>
    /// <param name="wakeup">Ends <see cref="WaitAndTake"/> early.</param>
    /// <exception cref="ConntrackException">No privilege, or a kernel without connection tracking's netlink interface.</exception>
    public KernelFeed(int bufferSize, FlowCollector collector, FrameSink sink, CaptureNotices notices, CaptureClock clock, Wakeup wakeup)
    {
        _collector = collector;
        _sink = sink;
        _notices = notices;
        _clock = clock;
        _wakeup = wakeup;
        _events = MulticastSource.OpenConntrackEvents(bufferSize);
        try
        {
            _dump = new DumpReader(wakeup);
            _more.Add(new AddressFeed(sink, clock));
        }
        catch
        {
            _dump?.Dispose();
            _events.Dispose();
            throw;
        }

        if (_events.BufferSize < bufferSize)
        {
            _notices.Add("buffer", $"The kernel granted a receive buffer of {_events.BufferSize} bytes, not {bufferSize}: net.core.rmem_max limits it without CAP_NET_ADMIN. More events may be lost in a flood.");
        }
    }

    /// <summary>The kernel's cookie of the network namespace.</summary>
    public ulong NamespaceCookie => _events.NamespaceCookie;

    /// <summary>
    /// Adds a source; it is disposed with the feed. Its frames come after the events of connection tracking that were there before them.
    /// A source may add another one while it is called.
    /// </summary>
    public void Add(IFeedSource source) => _more.Add(source);

    /// <summary>Asks for the kernel's table.</summary>
    public void RequestDump(DumpReason reason)
    {
        _lastDump = _clock.Now;
        _isRepairNeeded = false;
        _dump.Begin();
        _sink.Put(FrameKind.DumpRequested, _lastDump, [(byte)reason]);
    }

    /// <summary>
    /// Waits until the kernel has something to tell, somebody wakes the thread, or it is time, and takes what is there. Repairs when that
    /// is due.
    /// </summary>
    /// <param name="until">When to return at the latest: ticks of UTC.</param>
    /// <returns>True when a dump could be asked for: events were read to their end, and none is going on.</returns>
    public bool WaitAndTake(long until)
    {
        bool isDrained = !Wait(until) || TakeEvents();
        for (int i = 0; i < _more.Count; i++)
        {
            _more[i].Take();
        }

        TakeDump();
        if (!isDrained || _collector.IsDumping)
        {
            return false;
        }

        if (_isRepairNeeded && _clock.Now - _lastDump >= s_repairInterval.Ticks)
        {
            CountLost();
            RequestDump(DumpReason.Repair);
        }

        return !_isRepairNeeded && !_collector.IsDumping;
    }

    /// <summary>
    /// Ends: what the kernel has queued is still taken in, what was lost is repaired, and the counters are read for the last time.
    /// </summary>
    /// <param name="readCounters">Whether the kernel counts.</param>
    public void Finish(bool readCounters)
    {
        _events.Leave();
        while (!TakeEvents())
        {
        }

        for (int i = 0; i < _more.Count; i++)
        {
            _more[i].Finish();
        }

        while (_collector.IsDumping || _isRepairNeeded || readCounters)
        {
            if (!_collector.IsDumping)
            {
                CountLost();
                long pause = _isRepairNeeded ? _lastDump + s_repairInterval.Ticks - _clock.Now : 0;
                Thread.Sleep(TimeSpan.FromTicks(Math.Max(0, pause)));
                RequestDump(_isRepairNeeded ? DumpReason.Repair : DumpReason.Refresh);
                readCounters = false;
            }

            TakeDump();
            WaitForDump();
        }

        CountLost();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        for (int i = 0; i < _more.Count; i++)
        {
            _more[i].Dispose();
        }

        _dump.Dispose();
        _events.Dispose();
    }

    // True when there are events.
    private bool Wait(long until)
    {
        if (_isRepairNeeded && !_collector.IsDumping)
        {
            until = Math.Min(until, _lastDump + s_repairInterval.Ticks);
        }

        return FeedPoll.Wait(_wakeup, _events.Number, _more, until, _clock.Now);
    }

    // True when the queue was read to its end.
    private bool TakeEvents()
    {
        // A bound, so that a flood of events does not keep a dump from going on.
        const int BatchesInTurn = 16;
        for (int turn = 0; turn < BatchesInTurn; turn++)
        {
            int received = _events.Receive();
            if (received > 0)
            {
                _sink.Put(FrameKind.ConntrackEvent, _clock.Now, _events.Batch, received);
                if (received < _events.Batch.Capacity)
                {
                    return true;
                }
            }
            else if (received == -ErrnoConstants.ENOBUFS)
            {
                _isRepairNeeded = true;
                _sink.Put(FrameKind.Overrun, _clock.Now);
                _notices.Add("overrun", "The receive buffer overran and events were lost. The kernel's table is read again and merged; connections that began and ended in between are missing. A larger buffer (-BufferSize, --buffer-size) helps.");
            }
            else
            {
                return received == -ErrnoConstants.EAGAIN;
            }
        }

        return false;
    }

    private void TakeDump()
    {
        // A bound, so that a long dump does not keep events waiting; the wakeup is set again, because more may be there.
        const int BatchesInTurn = 4;
        int taken = 0;
        while (_collector.IsDumping && taken < BatchesInTurn && _dump.TryTake(out DatagramBatch batch, out int count))
        {
            _sink.Put(FrameKind.ConntrackDump, _clock.Now, batch, count);
            _dump.Return(batch);
            taken++;

            // A dump that may lack entries has repaired only in part: once more.
            _isRepairNeeded |= !_collector.IsDumping && _collector.DumpWasInterrupted;
        }

        if (taken == BatchesInTurn)
        {
            _wakeup.Set();
        }

        if (!_collector.IsDumping && _collector.DumpError != 0)
        {
            throw ConntrackDumpError.Of(_collector.DumpError);
        }
    }

    private unsafe void WaitForDump()
    {
        const int Patience = 100;
        pollfd polled = new() { fd = _wakeup.Number, events = SocketConstants.POLLIN };
        if (_collector.IsDumping && Libc.poll(&polled, 1, Patience) > 0)
        {
            _wakeup.Clear();
        }
    }

    private void CountLost()
    {
        if (_events.TakeDrops() is not long lost)
        {
            if (_collector.Receipt.Overruns > 0)
            {
                _notices.Add("drops", "How many events were lost in an overrun is not known: /proc/net/netlink cannot be read or does not list the socket. Lost says less than the truth.");
            }
        }
        else if (lost > 0)
        {
            _sink.PutNumber(FrameKind.Lost, _clock.Now, lost);
        }
    }
}
