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
    private const int LongestCatchUp = 10;

    private readonly Lock _gate = new();
    private readonly ProcessCache _cache = new();
    private readonly ProcessReader _reader = new();
    private readonly ProcessReader _execReader = new();
    private readonly Wakeup _wakeup = new();
    private readonly ManualResetEventSlim _ready = new();
    private readonly Thread _thread;
    private ProcessEventSource? _source;
    private volatile bool _isTaking;
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

    /// <summary>Waits until what the kernel has told so far is taken in, though not for long.</summary>
    public void CatchUp()
    {
        long started = Environment.TickCount64;
        while (Failure is null && (_isTaking || HasMore()) && Environment.TickCount64 - started < LongestCatchUp)
        {
            Thread.Sleep(0);
        }
    }

    /// <summary>The process that had an id at a time, in nanoseconds of the kernel's monotonic clock. For one thread.</summary>
    public KnownProcess Find(int id, ulong time)
    {
        KnownProcess? found;
        lock (_gate)
        {
            found = _cache.Find(id, time);
        }

        // Read without the lock, for which the execs must never wait.
        if (found is null)
        {
            found = _reader.Read(id, since: 0);
            lock (_gate)
            {
                _cache.Add(found);
            }
        }
        else if (found.IsInherited)
        {
            KnownProcess own = _reader.Read(id, found.Since);
            lock (_gate)
            {
                _cache.Settle(found, own);
            }
        }

        return found;
    }

    private void Take(ReadOnlySpan<byte> datagram)
    {
        NetlinkMessageReader messages = new(datagram);
        while (messages.TryRead(out NetlinkMessage message))
        {
            if (ProcessEventDecoder.Decode(in message, out ProcessEvent happened) == DecodeResult.Decoded)
            {
                Take(in happened);
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _stop = true;
        _wakeup.Set();
        _thread.Join();
        _source?.Dispose();
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
        try
        {
            while (!_stop)
            {
                Wait(_source.Number);
                _isTaking = true;
                TakeAll(_source);
                _isTaking = false;
            }
        }
#pragma warning disable CA1031 // Nothing may leave the thread, which would end the whole program.
        catch (Exception error)
#pragma warning restore CA1031
        {
            Failure = error.Message;
            _isTaking = false;
        }
    }

    private void TakeAll(ProcessEventSource source)
    {
        int received;
        while ((received = source.Receive()) > 0 || received == -ErrnoConstants.ENOBUFS)
        {
            for (int i = 0; i < received; i++)
            {
                Take(source.Batch[i]);
            }
        }
    }

    private void Take(in ProcessEvent happened)
    {
        KnownProcess? known = happened.Kind switch
        {
            ProcessEventKind.Exec => _execReader.Read(happened.Process, happened.Time),
            ProcessEventKind.Fork when !_cache.Knows(happened.Parent) => _execReader.Read(happened.Parent, since: 0),
            _ => null,
        };
        lock (_gate)
        {
            _cache.Take(in happened, known);
        }
    }

    private unsafe bool HasMore()
    {
        pollfd polled = new() { fd = _source?.Number ?? -1, events = SocketConstants.POLLIN };
        return Libc.poll(&polled, 1, 0) > 0;
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
    // the one that this process was started in; the capture's thread, which made this one, may be in another. Whether it was the right
    // one, the source tells.
    private static void EnterFirstNamespace()
    {
        if (!TryEnter("/proc/1/ns/net"))
        {
            TryEnter("/proc/self/ns/net");
        }
    }

    private static bool TryEnter(string path)
    {
        try
        {
            NetworkNamespace.Enter(path);
            return true;
        }
        catch (ConntrackException)
        {
            return false;
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
