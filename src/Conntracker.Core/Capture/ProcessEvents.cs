using Conntracker.Core.Decoding;
using Conntracker.Core.Native;
using Conntracker.Core.Netlink;
using Conntracker.Core.Sources;

namespace Conntracker.Core.Capture;

/// <summary>
/// The processes of the host, kept up to date by the proc connector. A thread of its own reads each process the moment it begins its
/// program: at a low real-time priority, because a process may live for less than a turn of the scheduler. It does nothing else.
/// </summary>
internal sealed class ProcessEvents : IDisposable
{
    private readonly Lock _gate = new();
    private readonly ProcessCache _cache = new();
    private readonly Wakeup _wakeup = new();
    private readonly ManualResetEventSlim _ready = new();
    private readonly Thread _thread;
    private ProcessEventSource? _source;
    private volatile bool _stop;

    /// <summary>Begins; returns when every exec is seen.</summary>
    public ProcessEvents()
    {
        _thread = new Thread(Work) { IsBackground = true, Name = "conntracker execs" };
        _thread.Start();
        _ready.Wait();
    }

    /// <summary>Why the host's execs cannot be seen; null when they can.</summary>
    public string? Failure { get; private set; }

    /// <summary>The process that had an id at a time, in nanoseconds of the kernel's monotonic clock.</summary>
    public KnownProcess Find(int id, ulong time)
    {
        lock (_gate)
        {
            return _cache.Find(id, time);
        }
    }

    /// <summary>Takes what the kernel has told so far.</summary>
    public void Take()
    {
        lock (_gate)
        {
            int received;
            while (_source is not null && ((received = _source.Receive()) > 0 || received == -ErrnoConstants.ENOBUFS))
            {
                for (int i = 0; i < received; i++)
                {
                    Take(_source.Batch[i]);
                }
            }
        }
    }

    /// <summary>Takes a datagram of the proc connector.</summary>
    public void Take(ReadOnlySpan<byte> datagram)
    {
        lock (_gate)
        {
            NetlinkMessageReader messages = new(datagram);
            while (messages.TryRead(out NetlinkMessage message))
            {
                if (ProcessEventDecoder.Decode(in message, out ProcessEvent happened) == DecodeResult.Decoded)
                {
                    _cache.Take(in happened);
                }
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _stop = true;
        _wakeup.Set();
        _thread.Join();
        lock (_gate)
        {
            _source?.Dispose();
            _source = null;
        }

        _wakeup.Dispose();
        _ready.Dispose();
    }

    private void Work()
    {
        try
        {
            EnterFirstNamespace();
            _source = new ProcessEventSource();
        }
        catch (ConntrackException error)
        {
            Failure = error.Message;
        }

        _ready.Set();
        if (_source is null)
        {
            return;
        }

        HurryUp();
        while (!_stop)
        {
            Wait(_source.Number);
            Take();
        }
    }

    private unsafe void Wait(int number)
    {
        const int Sources = 2;
        pollfd* polled = stackalloc pollfd[Sources]
        {
            new() { fd = number, events = SocketConstants.POLLIN },
            new() { fd = _wakeup.Number, events = SocketConstants.POLLIN },
        };
        _ = Libc.poll(polled, Sources, -1);
    }

    // Only the host's first network namespace tells of processes. Where that of the first process may not be entered, it is most likely
    // the one that this process was started in; the capture's thread, which made this one, may be in another.
    private static void EnterFirstNamespace()
    {
        try
        {
            NetworkNamespace.Enter("/proc/1/ns/net");
        }
        catch (ConntrackException)
        {
            NetworkNamespace.Enter("/proc/self/ns/net");
        }
    }

    // Needs CAP_SYS_NICE; without it some processes end before they are read.
    private static unsafe void HurryUp()
    {
        sched_param lowest = new() { sched_priority = 1 };
        if (Libc.sched_setscheduler(0, SchedulerConstants.SCHED_RR, &lowest) < 0)
        {
            _ = Libc.setpriority(SchedulerConstants.PRIO_PROCESS, 0, SchedulerConstants.PRIO_MIN);
        }
    }
}
