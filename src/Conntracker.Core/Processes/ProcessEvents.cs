using Conntracker.Core.Feeds;
using Conntracker.Core.Native;
using Conntracker.Core.Netlink;
using static Tmds.Linux.LibC;

namespace Conntracker.Core.Processes;

/// <summary>
/// The processes of the host, kept up to date by the proc connector. Threads of its own read each process the moment it starts its program, with a
/// low real-time priority, because a process may live for less than a time slice of the scheduler. They do nothing else. There are two: a processor
/// that is in the kernel, or that a hypervisor has preempted, delays even such a thread for milliseconds. The thread that wakes first does the work.
/// </summary>
internal sealed class ProcessEvents : IDisposable
{
    private const int LongestCatchUp = 10;
    private const int Threads = 2;
    private const int MostPending = 1024;
    private const int MostBatches = 64;

    private readonly Lock _lock = new();
    private readonly Lock _turn = new();
    private readonly ProcessCache _cache = new();
    private readonly Queue<(ProcessEvent Happened, KnownProcess? Known)> _pending = new();
    private readonly ProcessFinder _finder;
    private readonly ProcessReader _execReader = new();
    private readonly Wakeup _wakeup = new();
    private readonly ManualResetEventSlim _ready = new();
    private readonly Thread[] _threads = new Thread[Threads];
    private ProcessEventSource? _source;
    private long _lost;
    private ulong _unseenUntil;
    private volatile string? _failure;
    private volatile bool _isReceiving;
    private volatile bool _stop;

    /// <summary>Starts; returns once every exec is seen.</summary>
    public ProcessEvents()
    {
        _finder = new ProcessFinder(_cache, _lock, new ProcessReader());
        for (int i = 0; i < Threads && Failure is null; i++)
        {
            _threads[i] = new Thread(Work) { IsBackground = true, Name = "conntracker execs" };
            _threads[i].Start();
            _ready.Wait();
        }
    }

    /// <summary>Why the host's execs cannot be seen, or are no longer seen; null when they are. Read by any thread.</summary>
    public string? Failure => _failure;

    /// <summary>How many forks, execs and renamings the kernel could not report, because its buffer was full. Read by any thread.</summary>
    public long Lost => Interlocked.Read(ref _lost);

    /// <summary>Waits, with a short limit, until the events that the kernel has queued so far are handled.</summary>
    public void CatchUp()
    {
        long started = Environment.TickCount64;
        while (Failure is null && (_isReceiving || HasMore()) && Environment.TickCount64 - started < LongestCatchUp)
        {
            Thread.Sleep(0);
        }
    }

    /// <summary>
    /// A process in a pid namespace other than that of /proc here: the programs use another id for it. Nothing is read of it, since the result would
    /// be that of another process with that id.
    /// </summary>
    public static KnownProcess Foreign() => new(id: 0, since: 0);

    /// <summary>The process that had an id at a time, in nanoseconds of the kernel's monotonic clock. For one thread.</summary>
    public KnownProcess Find(int id, ulong time) => _finder.Find(id, time, Failure is null ? Volatile.Read(ref _unseenUntil) : ulong.MaxValue);

    private void Decode(ReadOnlySpan<byte> datagram)
    {
        NetlinkMessageReader messages = new(datagram);
        while (messages.TryRead(out NetlinkMessage message))
        {
            if (ProcessEventDecoder.Decode(in message, out ProcessEvent happened) == DecodeResult.Decoded)
            {
                Enqueue(in happened);
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _stop = true;
        _wakeup.Set();
        foreach (Thread? thread in _threads)
        {
            thread?.Join();
        }

        _source?.Dispose();
        _wakeup.Dispose();
        _ready.Dispose();
    }

    private void Work()
    {
        EnterFirstNamespace();
        Open();
        _ready.Set();
        if (_source is not ProcessEventSource source)
        {
            return;
        }

        RaisePriority();
        try
        {
            while (!_stop)
            {
                Wait(source.Number);
                lock (_turn)
                {
                    _isReceiving = true;
                    do
                    {
                        ReceiveAll(source);
                    }
                    while (!TryFinish());
                    _isReceiving = false;
                }
            }
        }
#pragma warning disable CA1031 // Nothing may leave the thread, which would end the whole program.
        catch (Exception error)
#pragma warning restore CA1031
        {
            _failure = error.Message;
            _isReceiving = false;
        }
    }

    private void Open()
    {
        if (_source is not null)
        {
            return;
        }

        try
        {
            _source = new ProcessEventSource();
        }
        catch (ConntrackException error)
        {
            _failure = error.Message;
        }
    }

    // An event that could not be handled is retried soon: no other event may come for long.
    private bool TryFinish()
    {
        if (_pending.Count == 0)
        {
            return true;
        }

        if (_lock.TryEnter(millisecondsTimeout: 1))
        {
            ApplyPending();
            _lock.Exit();
        }

        return _pending.Count == 0;
    }

    private void ReceiveAll(ProcessEventSource source)
    {
        bool isOverrun = false;
        int received;
        int batches = 0;
        while ((received = source.Receive()) > 0 || received == -ENOBUFS)
        {
            isOverrun |= received < 0;
            for (int i = 0; i < received; i++)
            {
                Decode(source.Batch[i]);
            }

            if (_stop || ++batches == MostBatches)
            {
                // Forks may come faster than they are read: the loop ends here, and the next one continues.
                break;
            }
        }

        if (isOverrun)
        {
            Volatile.Write(ref _unseenUntil, _execReader.Now);
            Interlocked.Add(ref _lost, source.TakeDrops() ?? 1);
        }

        if (received < 0 && received != -EAGAIN && received != -EINTR && received != -ENOBUFS)
        {
            throw new ConntrackException(
                ConntrackErrorReason.KernelRefused,
                $"Could not receive events of the proc connector:  {Errno.Describe(-received)}.");
        }
    }

    private void Enqueue(in ProcessEvent happened)
    {
        KnownProcess? known = happened.Kind switch
        {
            ProcessEventKind.Exec => _execReader.Read(happened.Process, happened.Time),
            ProcessEventKind.Fork when !_cache.Knows(happened.Parent) => _execReader.Read(happened.Parent, since: 0),
            _ => null,
        };
        _pending.Enqueue((happened, known));
        if (_pending.Count > MostPending)
        {
            lock (_lock)
            {
                ApplyPending();
            }
        }
        else if (_lock.TryEnter())
        {
            ApplyPending();
            _lock.Exit();
        }
    }

    // A lookup holds the lock only briefly, but may lose its processor while it does: the next exec must not wait for that.
    private void ApplyPending()
    {
        while (_pending.TryDequeue(out (ProcessEvent Happened, KnownProcess? Known) each))
        {
            _cache.Take(in each.Happened, each.Known);
        }
    }

    private bool HasMore() => Poll.IsReadable(_source?.Number ?? -1, 0);

    private void Wait(int number) => Poll.Wait([Poll.ForReading(number), Poll.ForReading(_wakeup.Number)], -1);

    // Only the initial network namespace reports processes. Where that of process 1 may not be entered, this process was most likely started in it,
    // while the capture's thread, which created this one, may be in another. The source fails if it is the wrong one.
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
    private static unsafe void RaisePriority()
    {
        sched_param lowest = new() { sched_priority = 1 };
        if (SafeLibC.sched_setscheduler(0, SCHED_RR, &lowest) < 0)
        {
            _ = SafeLibC.setpriority(PriorityConstants.PRIO_PROCESS, 0, PriorityConstants.PRIO_MIN);
        }
    }
}
