using Conntracker.Core.Flows;

namespace Conntracker.Core.Tracing;

/// <summary>
/// The traces of a capture, and their results. Bounded: the oldest that have ended are dropped first. Changed on the capture's thread only; other
/// threads may read <see cref="All"/>, whose arrays are never changed.
/// </summary>
internal sealed class TraceRequestBook
{
    /// <summary>The maximum number of traces, including those that have ended.</summary>
    public const int Maximum = 4096;

    private readonly Dictionary<FlowKey, TraceRequest> _ofFlows = new(FlowKeyComparer.Instance);
    private volatile TraceRequest[] _all = [];
    private TraceRequest[] _active = [];
    private TraceRequest[] _ofQueries = [];
    private int _lastId;

    /// <summary>All of them, the oldest first.</summary>
    public IReadOnlyList<TraceRequest> All => _all;

    /// <summary>The traces that were active at the last <see cref="Expire"/>.</summary>
    public IReadOnlyList<TraceRequest> Active => _active;

    /// <summary>Adds a trace; null when there are too many.</summary>
    /// <param name="target">Its description for users.</param>
    /// <param name="flow">The flow; null for a query.</param>
    /// <param name="query">The query; null for a flow.</param>
    /// <param name="now">Ticks of UTC.</param>
    /// <param name="until">When it ends; null for never.</param>
    public TraceRequest? Add(string target, Flow? flow, FlowQuery? query, long now, long? until)
    {
        TraceRequest[] kept = _all;
        if (kept.Length >= Maximum)
        {
            int over = Array.FindIndex(kept, each => Array.IndexOf(_active, each) < 0);
            if (over < 0)
            {
                return null;
            }

            kept = [.. kept[..over], .. kept[(over + 1)..]];
        }

        // The trace that the capture was started with has number 0; those that users add are numbered from 1.
        int id = until is null ? 0 : ++_lastId;
        TraceRequest request = new(id, target, flow, query, now, until);
        _all = [.. kept, request];
        Activate([.. _active, request]);
        return request;
    }

    /// <summary>Removes a trace.</summary>
    public void Remove(TraceRequest request)
    {
        _all = [.. _all.Where(each => each != request)];
        Activate([.. _active.Where(each => each != request)]);
    }

    /// <summary>Ends traces whose time is over; true when there were any.</summary>
    public bool Expire(long now)
    {
        bool haveEnded = Array.Exists(_active, each => each.Until <= now);
        if (haveEnded)
        {
            Activate([.. _active.Where(each => !(each.Until <= now))]);
        }

        return haveEnded;
    }

    /// <summary>When the next one ends: ticks of UTC; <see cref="long.MaxValue"/> for never.</summary>
    public long NextEnd() => _active.Length == 0 ? long.MaxValue : _active.Min(each => each.Until ?? long.MaxValue);

    /// <summary>Counts packets and steps of a flow in each trace that it belongs to.</summary>
    public void Count(ref readonly FlowRecord record, int packets, int steps)
    {
        if (_ofFlows.TryGetValue(record.Key, out TraceRequest? ofFlow))
        {
            Count(ofFlow, packets, steps);
        }

        foreach (TraceRequest request in _ofQueries)
        {
            if (request.Query!.Matches(in record))
            {
                Count(request, packets, steps);
            }
        }
    }

    private static void Count(TraceRequest request, int packets, int steps)
    {
        request.Packets += packets;
        request.Steps += steps;
    }

    // Thousands of flows may be traced, and each step looks them up: by their keys. Queries are few.
    private void Activate(TraceRequest[] active)
    {
        _active = active;
        _ofQueries = [.. active.Where(each => each.Query is not null)];
        _ofFlows.Clear();
        foreach (TraceRequest request in active.Where(each => each.Flow is not null))
        {
            _ofFlows[request.Key] = request;
        }
    }
}
