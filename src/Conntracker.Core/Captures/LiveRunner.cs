using Conntracker.Core.Conntrack;
using Conntracker.Core.Feeds;
using Conntracker.Core.KernelSettings;
using Conntracker.Core.Model;
using Conntracker.Core.Native;
using Conntracker.Core.Processes;
using Conntracker.Core.Tracing;
using Conntracker.Core.Tracing.Nftables;

namespace Conntracker.Core.Captures;

/// <summary>
/// Captures from the running kernel: enters the network namespace with the capture's own thread, prepares it, feeds the collector until
/// the end, and restores what it changed.
/// </summary>
internal sealed class LiveRunner : ICaptureRunner
{
    // How long the start waits for the rules' texts, so that the first flows show them. A very large ruleset takes longer.
    private static readonly long s_rulesWait = TimeSpan.FromSeconds(1).Ticks;

    private readonly CaptureOptions _options;
    private readonly FlowCollector _collector;
    private readonly CaptureNotices _notices;
    private readonly CaptureClock _clock = new();
    private readonly Wakeup _wakeup = new();
    private readonly CaptureRecording _recording;
    private readonly MessageSink _sink;
    private readonly TraceControl _tracing;
    private volatile bool _stop;
    private volatile bool _refresh;

    /// <summary>Creates the recording's file.</summary>
    /// <exception cref="ConntrackException">The recording's file cannot be created.</exception>
    public LiveRunner(CaptureOptions options, FlowCollector collector, CaptureNotices notices)
    {
        _options = options;
        _collector = collector;
        _notices = notices;
        _recording = new CaptureRecording(options.RecordPath, notices, _clock.TimeOfDay);
        _sink = new MessageSink(collector, _recording.Writer, _clock);
        _tracing = new TraceControl(options, collector.Tracing.Requests, notices, _clock, _wakeup);
    }

    /// <inheritdoc/>
    public TraceControl? Tracing => _tracing;

    /// <inheritdoc/>
    public void Run(Action ready)
    {
        if (_options.NetworkNamespace is string name)
        {
            NetworkNamespace.Enter(name);
        }

        using ConntrackFeed feed = new(_options.BufferSize, () => _collector.NeedsDumps, _sink, _notices, _clock, _wakeup);
        if (EventSetting.IsOff())
        {
            _collector.IsWithoutEvents = true;
            _notices.Add("events", "net.netfilter.nf_conntrack_events is 0: the kernel sends no events. " +
                "Its table is read instead, when flows are requested, at the end, and about once a minute; " +
                "connections that begin and end in between are missing. 'sysctl net.netfilter.nf_conntrack_events=2' enables events for new connections.");
        }

        if (_options.ResolveProcess)
        {
            ProcessFeed processes = new(feed.NamespaceCookie, _sink, _notices, _clock, _wakeup);
            feed.Add(processes);
            _collector.Processes.UseLookup(processes.Lookup, forEveryFlow: !processes.HasPrograms);
        }

        RecoverSettings(feed.Namespace);
        using SettingsLease? lease = _options.Accounting ? AccountingLease.Acquire(feed.Namespace) : null;
        if (lease is not null)
        {
            feed.Add(new SettingsFeed(lease, "Packets and bytes are no longer counted, or not for new connections", _notices, _clock));
        }

        Func<TrackingReading?> readTracking = _options.ReadTracking ?? TrackingReader.Read;
        TrackingReading? before = readTracking();
        using ConntrackerTable? table = SwitchTrackingOn();
        WatchTracking(feed, table, before, readTracking);

        _tracing.Start(
            feed.Add,
            table,
            () => new TraceFeed(_options.NftProgram, _collector, _sink, _notices, _clock, _wakeup, feed.Namespace, feed.TakeEvents));
        feed.Start();
        long end = _clock.After(_options.Duration);
        long rulesBy = _clock.Now + s_rulesWait;
        bool isReady = false;
        while (!_stop && _clock.Now < end)
        {
            feed.WaitAndTake(isReady || _clock.Now >= rulesBy ? end : Math.Min(end, rulesBy));
            if (!isReady && feed.HasTable)
            {
                _recording.Begin();
                isReady = _tracing.HasRules || _clock.Now >= rulesBy;
                if (isReady)
                {
                    ready();
                }
            }

            if (_refresh)
            {
                _refresh = false;
                feed.WantRefresh();
            }

            _recording.Report();
        }

        feed.Finish(readCounters: _options.Accounting);
        _recording.End(_clock.TimeOfDay);
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
        _recording.Dispose();
    }

    private ConntrackerTable? SwitchTrackingOn()
    {
        try
        {
            ConntrackerTable table = ConntrackerTable.Create();
            if (!table.IsOwned)
            {
                _notices.Add("owner", "This kernel (before Linux 5.12) does not support the nftables flag 'owner': " +
                    $"the table 'inet {table.Name}' is removed when the capture ends, but after kill -9 it stays until the next capture starts here.");
            }

            return table;
        }
        catch (ConntrackException error)
        {
            _notices.Add("table", $"{error.Message} Without it, connections are seen only if another rule enables connection tracking.");
            return null;
        }
    }

    private void WatchTracking(ConntrackFeed feed, ConntrackerTable? table, TrackingReading? before, Func<TrackingReading?> readTracking)
    {
        // If the kernel's table held entries before, they may be left over from earlier tracking: it is unknown who has connections tracked.
        bool wasTracking = before is not { Entries: 0 };
        if (!wasTracking && table is not null)
        {
            _notices.Add("tracking",
                $"Connection tracking was not enabled: this capture enables it, and fragments are reassembled while it runs. {Limit(before!.Value.Limit)}");
        }

        feed.Add(new TrackingGuard(before, readTracking, _sink, _notices, _clock, () => LetGo(table, wasTracking)));
    }

    private string Limit(long limit) =>
        limit == 0 ? "The kernel's table has no limit (net.netfilter.nf_conntrack_max is 0)."
        : $"The kernel's table is limited to {limit} connections (net.netfilter.nf_conntrack_max). When it is full, packets of new connections are dropped. "
            + (_options.KeepTracking ? "The capture keeps tracking enabled."
                : "At 90 % the capture removes its nftables table, and tracking ends (unless -KeepTracking or --keep-tracking is used).");

    // Returns the notice for the user. If another rule has connections tracked, our table only serves the traces, and removing it costs nothing else.
    // If the entries were merely left over from earlier tracking, removing it ends the tracking.
    private string? LetGo(ConntrackerTable? table, bool wasTracking)
    {
        if (table is null || _options.KeepTracking || (wasTracking && _tracing.IsTracing))
        {
            return null;
        }

        _tracing.LoseTable();
        table.Dispose();
        return $"The capture has removed its table 'inet {table.Name}': "
            + (wasTracking ? "unless another rule enables connection tracking, tracking has ended, and new flows are not seen."
                : "tracking and traces have ended, and new flows are not seen.")
            + " Start another capture when the table has room, or use -KeepTracking (--keep-tracking) to accept dropped packets.";
    }

    private void RecoverSettings(NetworkNamespaceId networkNamespace)
    {
        foreach (SettingsPurpose purpose in SettingsPurpose.All)
        {
            string notice = $"recovered {purpose.Name}";
            try
            {
                switch (SettingsLease.Recover(purpose, networkNamespace))
                {
                    case SettingsRecovery.PutBack:
                        _notices.Add(notice, $"A killed capture had left {purpose.LeftBehind}. The previous settings are restored.");
                        break;
                    case SettingsRecovery.Unknown:
                        _notices.Add(notice, $"A killed capture may have left {purpose.LeftBehind}. " +
                            "This kernel (before Linux 5.14) does not show whether that was in this network namespace, so nothing was restored: " +
                            $"check {string.Join(" and ", purpose.Settings.Keys.Select(SettingsLease.NameOf))}.");
                        break;
                    default:
                        break;
                }
            }
            catch (ConntrackException error)
            {
                _notices.Add(notice, $"Settings that a killed capture may have left were not restored: {error.Message}");
            }
        }
    }
}
