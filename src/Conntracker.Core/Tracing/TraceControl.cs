using Conntracker.Core.Feeds;
using Conntracker.Core.Tracing.Nftables;

namespace Conntracker.Core.Tracing;

/// <summary>
/// Controls what a capture traces: starts with its options, and lets users add traces while it runs. Work that involves the kernel is done on the
/// capture's thread, which is in the network namespace; users wait for it on theirs.
/// </summary>
internal sealed class TraceControl : IFeedSource
{
    private readonly CaptureOptions _options;
    private readonly TraceRequestBook _requests;
    private readonly CaptureNotices _notices;
    private readonly CaptureClock _clock;
    private readonly CaptureThreadQueue _queue;
    private Func<TraceFeed>? _openFeed;
    private Action<IFeedSource>? _addFeed;
    private TraceRuleWriter? _rules;
    private TraceFeed? _traces;
    private UntracedCounter? _untraced;
    private bool _isTracing;

    /// <param name="options">The capture's options.</param>
    /// <param name="requests">The requested traces; changed here, on the capture's thread.</param>
    /// <param name="notices">Gets notices for the user.</param>
    /// <param name="clock">The capture's time.</param>
    /// <param name="wakeup">Wakes the capture's thread.</param>
    public TraceControl(CaptureOptions options, TraceRequestBook requests, CaptureNotices notices, CaptureClock clock, Wakeup wakeup)
    {
        _options = options;
        _requests = requests;
        _notices = notices;
        _clock = clock;
        _queue = new CaptureThreadQueue(wakeup);
    }

    /// <inheritdoc/>
    public int Number => -1;

    /// <inheritdoc/>
    public long Due => Math.Min(_requests.NextEnd(), _untraced?.Due ?? long.MaxValue);

    /// <summary>Whether anything is traced now. On the capture's thread.</summary>
    public bool IsTracing => _isTracing && _requests.Active.Count > 0;

    /// <summary>Whether steps have their rules' texts; also true when nothing is traced or rules could not be read. On the capture's thread.</summary>
    public bool HasRules => _traces?.HasRules != false;

    /// <summary>Starts, on the capture's thread.</summary>
    /// <param name="addFeed">Adds a source to those that the capture's thread waits for.</param>
    /// <param name="table">Our table; null when there is none: then nothing can be traced.</param>
    /// <param name="openFeed">Opens the source of traces.</param>
    public void Start(Action<IFeedSource> addFeed, ConntrackerTable? table, Func<TraceFeed> openFeed)
    {
        _addFeed = addFeed;
        _rules = table is null ? null : new TraceRuleWriter(table, _options, _notices);
        _openFeed = openFeed;
        addFeed(this);
        if (_options.Trace == TraceMode.None)
        {
            return;
        }

        string target = _options.Trace == TraceMode.Everything ? "every packet" : $"each flow, for {_options.TraceDuration.TotalSeconds:0.###} s";
        try
        {
            BeginTracing();
            _requests.Add(target, flow: null, FlowQuery.All, _clock.Now, until: null);
        }
        catch (ConntrackException error)
        {
            _notices.Add("trace", $"Tracing is not possible, and flows have no verdict: {error.Message}");
        }
    }

    /// <summary>Traces packets of a flow, or of all flows that a query matches, for a time. From any thread.</summary>
    /// <param name="flow">The flow; null for a query.</param>
    /// <param name="query">The query; null for a flow.</param>
    /// <param name="target">Its description for users.</param>
    /// <param name="duration">How long.</param>
    /// <param name="cancellation">Stops waiting.</param>
    /// <returns>The trace, and whether it was active already: then its time starts again.</returns>
    /// <exception cref="ConntrackException">The capture has ended, nothing can be traced, or there are too many traces.</exception>
    /// <exception cref="ArgumentException">Nothing can match the query.</exception>
    public (TraceRequest Request, bool WasActive) Enable(Flow? flow, FlowQuery? query, string target, TimeSpan duration, CancellationToken cancellation) =>
        _queue.Invoke(() =>
    {
        if (!_isTracing)
        {
            BeginTracing();
        }

        long until = _clock.Now + duration.Ticks;
        TraceRequest? known = _requests.Active.FirstOrDefault(each => each.Id != 0 && each.Target == target);

        if (flow is not null && _options.Trace != TraceMode.Everything)
        {
            _rules!.Choose(flow, duration);
        }

        if (known is not null)
        {
            known.Until = until;
        }

        TraceRequest request = known ?? _requests.Add(target, flow, query, _clock.Now, until)
            ?? throw new ConntrackException(ConntrackErrorReason.TraceLimit,
                $"The limit of {TraceRequestBook.Maximum} active traces is reached. End some with Disable-FlowTrace, or use selectors to trace many flows " +
                    "at once.");

        try
        {
            SelectQueries(query is not null);
        }
        catch when (known is null)
        {
            _requests.Remove(request);
            throw;
        }

        return (request, known is not null);
    }, cancellation);

    /// <summary>Ends a trace early; one that has ended already stays so. From any thread.</summary>
    /// <returns>False when there is none with this number.</returns>
    public bool Disable(int id, CancellationToken cancellation) => _queue.Invoke(() =>
    {
        TraceRequest? request = _requests.All.FirstOrDefault(each => each.Id == id && id != 0);
        if (request is not null && request.Until > _clock.Now)
        {
            request.Until = _clock.Now;
        }

        if (request?.Flow is Flow flow && _rules is not null && _options.Trace != TraceMode.Everything)
        {
            _rules.Unchoose(flow);
        }

        Receive();
        return request is not null;
    }, cancellation);

    /// <summary>Our table is about to be removed: all traces end, and nothing can be traced any longer. On the capture's thread.</summary>
    public void LoseTable()
    {
        _untraced?.Finish();
        _untraced?.Dispose();
        _untraced = null;
        _rules = null;
        _isTracing = false;
        foreach (TraceRequest request in _requests.Active)
        {
            request.Until = _clock.Now;
        }

        _requests.Expire(_clock.Now);
    }

    /// <summary>All traces, with their results.</summary>
    public IReadOnlyList<FlowTrace> List(string capture, bool isRunning) =>
        [.. _requests.All.Select(each => each.ToPublic(capture, _clock.Now, isRunning, _clock.HostTime - _clock.Now))];

    /// <inheritdoc/>
    public void Receive()
    {
        _queue.Run();
        bool hasEnded = _requests.Expire(_clock.Now);

        SelectQueries(hasEnded);
        _untraced?.Take();
    }

    /// <inheritdoc/>
    public void Finish()
    {
        _untraced?.Finish();
        _queue.End();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _untraced?.Dispose();
        _queue.End();
    }

    private void BeginTracing()
    {
        if (_rules is null || _openFeed is null || _addFeed is null)
        {
            throw new ConntrackException(ConntrackErrorReason.TraceUnavailable,
                "Tracing requires an nftables table, which could not be created or was removed. The capture's notices give the reason.");
        }

        int capacity = _options.TraceCapacity ?? TraceCapacity.OfThisMachine();
        TraceFeed feed = _openFeed();
        try
        {
            _rules.Begin(capacity);
        }
        catch
        {
            feed.Dispose();
            throw;
        }

        _addFeed(feed);
        _traces = feed;
        _isTracing = true;
        _untraced = _options.Trace == TraceMode.Flows ? new UntracedCounter(_rules.Table, capacity, _notices, _clock) : null;
    }

    private void SelectQueries(bool haveChanged)
    {
        if (!haveChanged || _rules is null || _options.Trace == TraceMode.Everything)
        {
            return;
        }

        _rules.Select([.. from each in _requests.Active
                          where each.Id != 0 && each.Query is not null
                          select (each.Query, TimeSpan.FromTicks(Math.Max(TimeSpan.TicksPerSecond, each.Until - _clock.Now ?? 0)))]);
    }
}
