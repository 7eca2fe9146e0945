





using Conntracker.Core.Captures;
using Conntracker.Core.Feeds;

namespace Conntracker;

/// <summary>
/// A capture's life: its thread, its state, its flows. The flows outlive the thread and are freed with the session.
/// </summary>
public sealed partial class CaptureSession : IDisposable
{
    // Above any nf_conntrack_max that hosts set: a single dump is never folded.
    private const int LargestTable = 1 << 24;

    private static readonly TimeSpan s_refreshPatience = TimeSpan.FromSeconds(5);

    private readonly CaptureOptions _options;
    private readonly FlowCollector _collector;
    private readonly ICaptureRunner _runner;
    private readonly Thread _thread;
    private readonly ManualResetEventSlim _ready = new();
    private readonly ManualResetEventSlim _ended = new();
    private readonly CaptureClock _clock = new();
    private readonly long _began;
    private long _endTime;
    private Exception? _error;
    private volatile CaptureState _state = CaptureState.Starting;
    private int _isDisposed;

    private CaptureSession(CaptureOptions options, bool readOnce)
    {
        _options = options;
        _collector = new FlowCollector(options.MaximumFlows, options.Protocols, options.LocalAddresses);
        _collector.UseIncomingUdpPorts(options.IncomingUdpPorts);
        _collector.Tracing.IgnoresConnections = options.IgnoresTracedConnections;
        try
        {
            _runner = options switch
            {
                { ReplayPath: string path } => new ReplayRunner(path, _collector, Notices),
                { PcapPath: string path } => new PcapRunner(path, options, _collector, Notices),
                { Source: CaptureSource.Packet } => new PacketRunner(options, _collector, Notices),
                _ when readOnce => new DumpRunner(options.NetworkNamespace, _collector),
                _ => new LiveRunner(options, _collector, Notices),
            };
        }
        catch
        {
            _collector.Dispose();
            throw;
        }

        StartTime = new DateTimeOffset(_clock.TimeOfDay, TimeSpan.Zero);
        _began = _clock.Now;

        // A thread of its own: it may enter a network namespace, which a thread of the pool must never do.
        _thread = new Thread(Work) { IsBackground = true, Name = "conntracker" };
    }

    /// <summary>When it was started.</summary>
    public DateTimeOffset StartTime { get; }

    /// <summary>What it is doing.</summary>
    public CaptureState State => _state;

    /// <summary>What ended it; null when it runs, or ended well.</summary>
    public Exception? Error => _error;

    /// <summary>What a user ought to know of it.</summary>
    public CaptureNotices Notices { get; } = new();

    /// <summary>How long it has run.</summary>
    public TimeSpan Duration => TimeSpan.FromTicks((_ended.IsSet ? Interlocked.Read(ref _endTime) : _clock.Now) - _began);

    /// <summary>How many flows it holds.</summary>
    public int FlowCount => _collector.FlowCount;

    /// <summary>What it saw and what it did not.</summary>
    public CaptureCounters Counters => _collector.Counters;

    /// <summary>Starts a capture; returns when it sees events and the flows that were open before are there.</summary>
    /// <param name="options">How.</param>
    /// <param name="cancellation">Gives up, and stops it again.</param>
    /// <exception cref="ArgumentException">An option is out of its range.</exception>
    /// <exception cref="ConntrackException">It could not be started.</exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public static CaptureSession Start(CaptureOptions options, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        return Start(new CaptureSession(options, readOnce: false), cancellation);
    }

    /// <summary>Starts a capture and returns at once. Whether it could be started is known when it has ended: <see cref="Error"/>.</summary>
    /// <param name="options">How.</param>
    /// <exception cref="ArgumentException">An option is out of its range.</exception>
    /// <exception cref="ConntrackException">What it reads or writes cannot be opened.</exception>
    public static CaptureSession Begin(CaptureOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        CaptureSession session = new(options, readOnce: false);
        session._thread.Start();
        return session;
    }

    /// <summary>Reads the kernel's table once; nothing is switched on, changed, or listened to.</summary>
    /// <param name="networkNamespace">The network namespace; null for the one that the process is in.</param>
    /// <param name="cancellation">Gives up.</param>
    /// <exception cref="ConntrackException">It cannot be read.</exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public static CaptureSession ReadOnce(string? networkNamespace, CancellationToken cancellation = default) =>
        Start(new CaptureSession(new CaptureOptions { NetworkNamespace = networkNamespace, MaximumFlows = LargestTable }, readOnce: true), cancellation);

    /// <summary>Asks it to stop, without waiting.</summary>
    public void RequestStop() => _runner.RequestStop();

    /// <summary>Stops it and waits until it has ended.</summary>
    public void Stop()
    {
        _runner.RequestStop();
        _ended.Wait();
    }

    /// <summary>Waits until it has ended; false when the time was over before.</summary>
    public bool Wait(TimeSpan timeout, CancellationToken cancellation = default) => _ended.Wait(timeout, cancellation);

    /// <summary>
    /// Copies the flows as they are now; the caller disposes the copy. A running capture first reads the kernel's table where events do not
    /// say everything: counters of open connections, and flows for which the kernel makes no events.
    /// </summary>
    public FlowSnapshot Snapshot(CancellationToken cancellation = default)
    {
        if (_state == CaptureState.Running && (_options.Accounting || _collector.NeedsDumps))
        {
            Refresh(cancellation);
        }

        return _collector.Snapshot();
    }

    /// <summary>The flows that are wanted, as objects, one at a time.</summary>
    public IEnumerable<Flow> GetFlows(FlowQuery query, CancellationToken cancellation = default)
    {
        using FlowSnapshot snapshot = Snapshot(cancellation);
        for (int slot = 0; slot < snapshot.SlotCount; slot++)
        {
            if (snapshot.ToFlow(slot, query) is Flow flow)
            {
                yield return flow;
            }
        }
    }

    /// <summary>Subscribes to connections as they begin. The caller disposes the subscription.</summary>
    public FlowSubscription Subscribe(FlowQuery query)
    {
        ArgumentNullException.ThrowIfNull(query);
        FlowSubscription subscription = _collector.Subscribe(query);
        if (_ended.IsSet)
        {
            subscription.Complete();
        }

        return subscription;
    }

    /// <summary>Stops it and frees its flows.</summary>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref _isDisposed, 1) != 0)
        {
            return;
        }

        if (_thread.ThreadState.HasFlag(ThreadState.Unstarted))
        {
            _runner.Dispose();
        }
        else
        {
            Stop();
        }

        _collector.Dispose();
    }

    private static CaptureSession Start(CaptureSession session, CancellationToken cancellation)
    {
        try
        {
            session._thread.Start();
            session._ready.Wait(cancellation);
        }
        catch
        {
            session.Dispose();
            throw;
        }

        if (session._error is Exception error)
        {
            session.Dispose();
            System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(error);
        }

        return session;
    }

    private void Refresh(CancellationToken cancellation)
    {
        // A dump that is under way has answers from before now.
        (long before, bool isDumping) = _collector.Dumps;
        before += isDumping ? 1 : 0;
        if (!_runner.RequestRefresh())
        {
            return;
        }

        long deadline = Environment.TickCount64 + (long)s_refreshPatience.TotalMilliseconds;
        while (_state == CaptureState.Running && Environment.TickCount64 < deadline && !_ended.Wait(2, cancellation) && _collector.Dumps.Ended <= before)
        {
        }
    }

    private void Work()
    {
        try
        {
            _runner.Run(() =>
            {
                _state = CaptureState.Running;
                _ready.Set();
            });
            _state = CaptureState.Stopped;
        }
#pragma warning disable CA1031 // Nothing may leave the thread: whatever ended the capture is shown by it.
        catch (Exception error)
#pragma warning restore CA1031
        {
            _error = error;
            _state = CaptureState.Failed;
        }
        finally
        {
            _runner.Dispose();
            Interlocked.Exchange(ref _endTime, _clock.Now);
            _collector.CompleteSubscriptions();
            _ended.Set();
            _ready.Set();
        }
    }
}
