using Conntracker.Core.Captures;
using Conntracker.Core.Feeds;

namespace Conntracker;

/// <summary>
/// A running or ended capture: its thread, its state, its flows. The flows outlive the thread and are freed with the session.
/// </summary>
public sealed partial class CaptureSession : IDisposable
{
    // Above any nf_conntrack_max in use: the flows of a single dump are never folded.
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

        // A thread of its own: it may enter a network namespace, which a pool thread must never do.
        _thread = new Thread(Work) { IsBackground = true, Name = "conntracker" };
    }

    /// <summary>When the capture was started.</summary>
    public DateTimeOffset StartTime { get; }

    /// <summary>What the capture is doing.</summary>
    public CaptureState State => _state;

    /// <summary>The error that ended the capture; null while it runs, and if it ended without one.</summary>
    public Exception? Error => _error;

    /// <summary>Notices for the user.</summary>
    public CaptureNotices Notices { get; } = new();

    /// <summary>How long the capture has run, or ran.</summary>
    public TimeSpan Duration => TimeSpan.FromTicks((_ended.IsSet ? Interlocked.Read(ref _endTime) : _clock.Now) - _began);

    /// <summary>The number of flows.</summary>
    public int FlowCount => _collector.FlowCount;

    /// <summary>What the capture saw, and what it missed.</summary>
    public CaptureCounters Counters => _collector.Counters;

    /// <summary>Starts a capture. Returns when it receives events and has read the flows that were open before.</summary>
    /// <param name="options">Its options.</param>
    /// <param name="cancellation">Cancels the start, and stops the capture.</param>
    /// <exception cref="ArgumentException">An option is out of its range.</exception>
    /// <exception cref="ConntrackException">The capture could not be started.</exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public static CaptureSession Start(CaptureOptions options, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        return Start(new CaptureSession(options, readOnce: false), cancellation);
    }

    /// <summary>Starts a capture and returns at once. If it could not be started, it ends with an <see cref="Error"/>.</summary>
    /// <param name="options">Its options.</param>
    /// <exception cref="ArgumentException">An option is out of its range.</exception>
    /// <exception cref="ConntrackException">A file that it reads or writes cannot be opened.</exception>
    public static CaptureSession Begin(CaptureOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        CaptureSession session = new(options, readOnce: false);
        session._thread.Start();
        return session;
    }

    /// <summary>Reads the kernel's table once. Nothing is enabled or changed, and no events are received.</summary>
    /// <param name="networkNamespace">The network namespace; null for the one that the process is in.</param>
    /// <param name="cancellation">Cancels the read.</param>
    /// <exception cref="ConntrackException">The table cannot be read.</exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public static CaptureSession ReadOnce(string? networkNamespace, CancellationToken cancellation = default) =>
        Start(new CaptureSession(new CaptureOptions { NetworkNamespace = networkNamespace, MaximumFlows = LargestTable }, readOnce: true), cancellation);

    /// <summary>Requests the capture to stop, without waiting.</summary>
    public void RequestStop() => _runner.RequestStop();

    /// <summary>Stops the capture and waits until it has ended.</summary>
    public void Stop()
    {
        _runner.RequestStop();
        _ended.Wait();
    }

    /// <summary>Waits until the capture has ended; false if the timeout came first.</summary>
    public bool Wait(TimeSpan timeout, CancellationToken cancellation = default) => _ended.Wait(timeout, cancellation);

    /// <summary>
    /// Copies the current flows; the caller disposes the copy. A running capture first reads the kernel's table for what events do not
    /// report: counters of open connections, and flows for which the kernel sends no events.
    /// </summary>
    public FlowSnapshot Snapshot(CancellationToken cancellation = default)
    {
        if (_state == CaptureState.Running && (_options.Accounting || _collector.NeedsDumps))
        {
            Refresh(cancellation);
        }

        return _collector.Snapshot();
    }

    /// <summary>The flows that match a query, as objects, one at a time.</summary>
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

    /// <summary>
    /// The rules and policies as they were read last, to explain traces: of a replay those of the recording. Empty when nothing was traced.
    /// </summary>
    public IReadOnlyList<FirewallRule> GetFirewallRules() => _collector.FirewallRules();

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

    /// <summary>Stops the capture and frees its flows.</summary>
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
        // A dump in progress has answers that are older than this request.
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
#pragma warning disable CA1031 // No exception may leave the thread: the capture shows what ended it.
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
