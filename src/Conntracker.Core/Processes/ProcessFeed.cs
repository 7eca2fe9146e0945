using Conntracker.Core.Feeds;
using Conntracker.Core.Flows;
using Conntracker.Core.Native;
using Conntracker.Core.Recording;
using Tmds.Linux;

namespace Conntracker.Core.Processes;

/// <summary>
/// Watches processes and their sockets: forks and execs, the reports of the eBPF programs, and sockets to look up. It runs on a thread of its own,
/// because a process that lives a few milliseconds must be read at once. The capture receives the frames as a source.
/// </summary>
internal sealed class ProcessFeed : IFeedSource
{
    private const int LossesEvery = 1000;

    private readonly CaptureNotices _notices;
    private readonly CaptureClock _clock;
    private readonly MessageSink _sink;
    private readonly Wakeup _captureWakeup;
    private readonly Wakeup _wakeup = new();
    private readonly MessageQueue _frames = new();
    private readonly ProcessEvents _events = new();
    private readonly ProcessReporter _reporter;
    private readonly SocketLookup _lookup;
    private readonly ManualResetEventSlim _ready = new();
    private readonly Thread _thread;
    private AttributionPrograms? _programs;
    private AttributionRing? _ring;
    private long _lost;
    private long _lostTold;
    private long _lossesRead;
    private volatile bool _stop;
    private bool _hasNews;

    /// <summary>Starts; returns once every new socket is seen. Created on the capture's thread, in its network namespace.</summary>
    /// <param name="namespaceCookie">The cookie of that namespace; 0 when the kernel does not report it.</param>
    /// <param name="sink">Gets the frames.</param>
    /// <param name="notices">Gets notices of what is missing, and what is lost as a result.</param>
    /// <param name="clock">The capture's time.</param>
    /// <param name="captureWakeup">Wakes the capture's thread.</param>
    public ProcessFeed(ulong namespaceCookie, MessageSink sink, CaptureNotices notices, CaptureClock clock, Wakeup captureWakeup)
    {
        _sink = sink;
        _notices = notices;
        _clock = clock;
        _captureWakeup = captureWakeup;
        _reporter = new ProcessReporter(_events, _frames, namespaceCookie);
        _lookup = new SocketLookup(_wakeup);
        if (_lookup.FindMissing() is string missing)
        {
            notices.Add("processes-lookups",
                $"The kernel cannot look up {missing} sockets (INET_DIAG): flows that are older than the capture have no process. " +
                    "This requires CONFIG_INET_TCP_DIAG and CONFIG_INET_UDP_DIAG (modules tcp_diag, udp_diag).");
        }

        _thread = new Thread(Work) { IsBackground = true, Name = "conntracker processes" };
        _thread.Start();
        _ready.Wait();
    }

    /// <summary>Looks up sockets that are older than the capture.</summary>
    public ISocketLookup Lookup => _lookup;

    /// <summary>Whether the eBPF programs are attached.</summary>
    public bool HasPrograms => _programs is not null;

    /// <inheritdoc/>
    public int Number => -1;

    /// <inheritdoc/>
    public long Due => long.MaxValue;

    /// <inheritdoc/>
    public void Receive()
    {
        long total = Interlocked.Read(ref _lost);
        long lost = _frames.Drain(_sink, _clock.Now) + (total - _lostTold);
        _lostTold = total;
        if (lost > 0)
        {
            _sink.PutNumber(MessageKind.SocketOwnersLost, _clock.Now, lost);
        }
    }

    /// <inheritdoc/>
    public void Finish()
    {
        _lookup.Finish();
        StopThread();
        Receive();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        StopThread();
        _lookup.Dispose();
        _reporter.Dispose();
        _events.Dispose();
        _wakeup.Dispose();
        _ready.Dispose();
    }

    private void StopThread()
    {
        _stop = true;
        _wakeup.Set();
        _thread.Join();
    }

    private void Work()
    {
        try
        {
            Open();
            ProcessWarmUp.Run(_events);
            _ready.Set();
            while (!_stop)
            {
                Wait();
                DrainRing();
            }

            // Reports that arrived before the capture ended still belong to it.
            DrainRing();
            ReadLosses();
        }
#pragma warning disable CA1031 // Nothing may leave the thread, which would end the whole program: the capture continues.
        catch (Exception error)
#pragma warning restore CA1031
        {
            _notices.Add("processes-ended", $"Processes are no longer resolved: {error.Message}");
        }
        finally
        {
            _ring?.Dispose();
            _programs?.Dispose();
            _ready.Set();
        }
    }

    private void Open()
    {
        if (_events.Failure is string failure)
        {
            _notices.Add("processes",
                $"{failure} Without the events of the proc connector, command lines of processes that end within milliseconds are missing.");
        }

        try
        {
            _programs = AttributionPrograms.Attach();
            _ring = new AttributionRing(_programs.RecordsMap);
            if (!PidNamespace.IsHosts)
            {
                _notices.Add("processes-pid-namespace",
                    "/proc does not show the host's pid namespace. Flows show the name, user and cgroup of a process, with the id 0, but not its command " +
                        "line and path. To get them, use the host's pid namespace (docker run --pid host).");
            }

            _reporter.Namespaces.ReadCookie = _programs.ReadNamespaceCookie;
            if (_reporter.NamespaceCookie == 0)
            {
                _reporter.NamespaceCookie = _programs.ReadNamespaceCookie();
            }
        }
        catch (ConntrackException error)
        {
            _programs?.Dispose();
            _programs = null;
            _notices.Add("attribution",
                $"{error.Message} Sockets are looked up with INET_DIAG and /proc instead: the processes of short connections, of ICMP, and of other " +
                    "network namespaces are missing.");
        }
    }

    private void Wait()
    {
        Span<pollfd> polled = [Poll.ForReading(_wakeup.Number), Poll.ForReading(_ring?.Number ?? -1)];
        _ = Poll.Wait(polled, LossesEvery);
        if (Environment.TickCount64 - _lossesRead >= LossesEvery)
        {
            _lossesRead = Environment.TickCount64;
            ReadLosses();
        }

        if (polled[0].revents != 0)
        {
            _wakeup.Clear();
        }
    }

    private void DrainRing()
    {
        while (_ring is not null)
        {
            ReadOnlySpan<socket_record> records = _ring.Take();
            if (records.IsEmpty)
            {
                break;
            }

            // An exec before a socket was reported before it.
            _events.CatchUp();
            foreach (ref readonly socket_record record in records)
            {
                Report(in record);
            }

            _hasNews = true;
        }

        while (_lookup.TryTake(out FoundSocket found))
        {
            _reporter.Report(in found);
            _hasNews = true;
        }

        if (_hasNews)
        {
            _hasNews = false;
            _captureWakeup.Set();
        }
    }

    private void Report(ref readonly socket_record record)
    {
        if (!SocketRecordDecoder.TryReadKey(in record, out FlowKey key))
        {
            return;
        }

        if (record.owner.pid != 0)
        {
            _reporter.Report(in record, in key);
        }
        else
        {
            // Older than the programs.
            _lookup.Ask(in key, record.outgoing != 0);
        }
    }

    private void ReadLosses()
    {
        long lookups = _lookup.Lost;
        long events = _events.Lost;
        if (lookups > 0)
        {
            _notices.Add("processes-lookups-lost",
                "The queue of socket lookups was full. Flows of the sockets that were not looked up have no process (see ProcessesLost).");
        }

        if (events > 0)
        {
            _notices.Add("processes-events-lost",
                "The kernel's buffer for fork and exec events was full. Command lines of processes that ended within milliseconds may be missing (see " +
                    "ProcessesLost).");
        }

        if (_reporter.Namespaces.Failure is string refused)
        {
            _notices.Add("processes-namespaces",
                $"Could not inspect another network namespace: {refused}. Its processes are not shown, because any user can create a namespace with any " +
                    "addresses. The capability CAP_SYS_ADMIN is required: run as root, or with sudo.");
        }

        if (_events.Failure is string failure)
        {
            // A failure at the start has been reported then, for the same cause.
            _notices.Add("processes", $"{failure} From now on, command lines of processes that end within milliseconds are missing.");
        }

        long lost = lookups + events + (_programs?.ReadDrops() ?? 0);
        if (lost != Interlocked.Exchange(ref _lost, lost))
        {
            _captureWakeup.Set();
        }
    }
}
