using Conntracker.Core.Firewall;
using Conntracker.Core.Native;
using Conntracker.Core.Sources;

namespace Conntracker.Core.Capture;

/// <summary>
/// Captures from the running kernel: opens the sources in the capture's network namespace, reads them in turn on one thread, and
/// after an overrun has the kernel's table dumped and merged. The kernel's socket buffer is the only queue.
/// </summary>
internal sealed class LivePump : ICapturePump
{
    [Flags]
    private enum Ready
    {
        None = 0,
        Events = 1,
        Addresses = 2,
    }

    private static readonly TimeSpan s_dumpInterval = TimeSpan.FromSeconds(1);

    private readonly CaptureOptions _options;
    private readonly FlowCollector _collector;
    private readonly CaptureNotices _notices;
    private readonly CaptureClock _clock = new();
    private readonly Wakeup _wakeup = new();
    private readonly RecordingWriter? _recording;
    private readonly FrameSink _sink;
    private volatile bool _stop;
    private volatile bool _refresh;
    private bool _isReady;
    private bool _repairNeeded;
    private long _lastDump;

    /// <summary>Makes a pump, and the recording's file.</summary>
    /// <exception cref="ConntrackException">The recording's file cannot be made.</exception>
    public LivePump(CaptureOptions options, FlowCollector collector, CaptureNotices notices)
    {
        _options = options;
        _collector = collector;
        _notices = notices;
        _recording = options.RecordPath is string path ? RecordingWriter.Create(path, _clock.Now, KernelName.Read()) : null;
        _sink = new FrameSink(collector, _recording);
    }

    /// <inheritdoc/>
    public void Run(Action ready)
    {
        if (_options.NetworkNamespace is string name)
        {
            NetworkNamespace.Enter(name);
        }

        using ConntrackEventSource events = new(_options.BufferSize);
        using DumpReader dump = new(_wakeup);
        using NetlinkDump addresses = NetlinkDump.OpenAddresses();
        using DatagramBatch addressBatch = NetlinkDump.NewBatch();
        if (events.BufferSize < _options.BufferSize)
        {
            _notices.Add("buffer", $"The kernel granted a receive buffer of {events.BufferSize} bytes, not {_options.BufferSize}: net.core.rmem_max limits it without CAP_NET_ADMIN. More events may be lost in a flood.");
        }

        addresses.RequestAddresses();
        TakeAddresses(addresses, addressBatch);
        RecoverSettings(events.NamespaceCookie);
        using AccountingLease? lease = _options.Accounting ? AccountingLease.Acquire(events.NamespaceCookie) : null;
        using OwnTable? table = SwitchTrackingOn();

        RequestDump(dump, DumpReason.Start);
        long end = _clock.Now + Math.Min(_options.Duration?.Ticks ?? long.MaxValue, long.MaxValue - _clock.Now);
        while (!_stop && _clock.Now < end)
        {
            Ready readable = Wait(events, addresses, end);
            bool isDrained = !readable.HasFlag(Ready.Events) || TakeEvents(events);
            if (readable.HasFlag(Ready.Addresses))
            {
                TakeAddresses(addresses, addressBatch);
            }

            TakeDump(dump);
            if (!_isReady && _collector.DumpsEnded > 0)
            {
                _isReady = true;
                ready();
            }

            if (isDrained && !_collector.IsDumping)
            {
                StartDumpIfDue(events, dump);
            }

            ReportRecording();
        }

        Finish(events, dump);
        ReportRecording();
    }

    /// <inheritdoc/>
    public void RequestStop()
    {
        _stop = true;
        _wakeup.Set();
    }

    /// <inheritdoc/>
    public bool RequestRefresh()
    {
        _refresh = true;
        _wakeup.Set();
        return true;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _wakeup.Dispose();
        if (_isReady)
        {
            _recording?.Dispose();
        }
        else
        {
            // A capture that could not be started leaves no file behind.
            _recording?.Discard();
        }
    }

    private unsafe Ready Wait(ConntrackEventSource events, NetlinkDump addresses, long end)
    {
        const int Sources = 3;
        pollfd* polled = stackalloc pollfd[Sources]
        {
            new() { fd = _wakeup.Number, events = SocketConstants.POLLIN },
            new() { fd = events.Number, events = SocketConstants.POLLIN },
            new() { fd = addresses.Number, events = SocketConstants.POLLIN },
        };
        long wait = end - _clock.Now;
        if (_repairNeeded && !_collector.IsDumping)
        {
            wait = Math.Min(wait, _lastDump + s_dumpInterval.Ticks - _clock.Now);
        }

        long milliseconds = Math.Clamp((wait / TimeSpan.TicksPerMillisecond) + 1, 0, int.MaxValue);
        _ = Libc.poll(polled, Sources, wait == long.MaxValue ? -1 : (int)milliseconds);
        if (polled[0].revents != 0)
        {
            _wakeup.Clear();
        }

        // POLLERR tells an overrun: to be read as well.
        return (polled[1].revents != 0 ? Ready.Events : Ready.None) | (polled[2].revents != 0 ? Ready.Addresses : Ready.None);
    }

    // True when the queue was read to its end.
    private bool TakeEvents(ConntrackEventSource events)
    {
        // A bound, so that a flood of events does not keep a dump from going on.
        const int BatchesInTurn = 16;
        for (int turn = 0; turn < BatchesInTurn; turn++)
        {
            int received = events.Receive();
            if (received > 0)
            {
                _sink.Put(FrameKind.ConntrackEvent, _clock.Now, events.Batch, received);
                if (received < events.Batch.Capacity)
                {
                    return true;
                }
            }
            else if (received == -ErrnoConstants.ENOBUFS)
            {
                _repairNeeded = true;
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

    private void TakeAddresses(NetlinkDump addresses, DatagramBatch batch)
    {
        int received;
        while ((received = addresses.Receive(batch)) > 0 || received == -ErrnoConstants.ENOBUFS)
        {
            if (received < 0)
            {
                addresses.RequestAddresses();
                continue;
            }

            _sink.Put(FrameKind.Addresses, _clock.Now, batch, received);
        }
    }

    private void TakeDump(DumpReader dump)
    {
        // A bound, so that a long dump does not keep events waiting; the wakeup is set again, because more may be there.
        const int BatchesInTurn = 4;
        int taken = 0;
        while (_collector.IsDumping && taken < BatchesInTurn && dump.TryTake(out DatagramBatch batch, out int count))
        {
            _sink.Put(FrameKind.ConntrackDump, _clock.Now, batch, count);
            dump.Return(batch);
            taken++;
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

    private void StartDumpIfDue(ConntrackEventSource events, DumpReader dump)
    {
        if (_repairNeeded && _clock.Now - _lastDump >= s_dumpInterval.Ticks)
        {
            CountLost(events);
            RequestDump(dump, DumpReason.Repair);
        }
        else if (_refresh && !_repairNeeded)
        {
            RequestDump(dump, DumpReason.Refresh);
        }
    }

    private void RequestDump(DumpReader dump, DumpReason reason)
    {
        _lastDump = _clock.Now;
        _repairNeeded = false;
        _refresh = false;
        dump.Begin();
        _sink.Put(FrameKind.DumpRequested, _lastDump, [(byte)reason]);
    }

    private void CountLost(ConntrackEventSource events)
    {
        long lost = events.TakeDrops() ?? 0;
        if (lost > 0)
        {
            _sink.PutLost(_clock.Now, lost);
        }
    }

    // What the kernel queued before the stop is still taken in, then the loss repaired and the counters read for the last time.
    private void Finish(ConntrackEventSource events, DumpReader dump)
    {
        events.Leave();
        while (!TakeEvents(events))
        {
        }

        bool wantsCounters = _options.Accounting;
        while (_collector.IsDumping || _repairNeeded || wantsCounters)
        {
            if (!_collector.IsDumping)
            {
                CountLost(events);
                long pause = _repairNeeded ? _lastDump + s_dumpInterval.Ticks - _clock.Now : 0;
                Thread.Sleep(TimeSpan.FromTicks(Math.Max(0, pause)));
                RequestDump(dump, _repairNeeded ? DumpReason.Repair : DumpReason.Refresh);
                wantsCounters = false;
            }

            TakeDump(dump);
            WaitForDump();
        }

        CountLost(events);
        _recording?.Finish(_clock.Now);
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

    private OwnTable? SwitchTrackingOn()
    {
        try
        {
            return OwnTable.Create();
        }
        catch (ConntrackException error)
        {
            _notices.Add("table", $"{error.Message} Without it connections are seen only where another rule makes the kernel track them.");
            return null;
        }
    }

    private void RecoverSettings(ulong cookie)
    {
        try
        {
            if (AccountingLease.Recover(cookie))
            {
                _notices.Add("recovered", "A capture that was killed had left accounting switched on; the settings are as they were before it.");
            }
        }
        catch (ConntrackException error)
        {
            _notices.Add("recovered", $"What a killed capture may have left was not put back: {error.Message}");
        }
    }

    private void ReportRecording()
    {
        if (_recording?.Failure is string failure)
        {
            _notices.Add("recording", failure);
        }
    }
}
