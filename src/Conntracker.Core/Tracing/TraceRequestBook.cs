using Conntracker.Core.Flows;

namespace Conntracker.Core.Tracing;

/// <summary>What a capture traces, and what came of each: bounded, the oldest that are over go first.</summary>
internal sealed class TraceRequestBook
{
    /// <summary>Traces that are kept, with those that are over.</summary>
    public const int Maximum = 4096;

    private readonly List<TraceRequest> _requests = [];
    private TraceRequest[] _active = [];
    private int _lastId;

    /// <summary>All of them, the oldest first.</summary>
    public IReadOnlyList<TraceRequest> All => _requests;

    /// <summary>Those whose time was not over at the last <see cref="Expire"/>.</summary>
    public IReadOnlyList<TraceRequest> Active => _active;

    /// <summary>Adds a trace; false when there are too many.</summary>
    /// <param name="target">What it is, in words.</param>
    /// <param name="flow">The flow; null for a query.</param>
    /// <param name="query">The query; null for a flow.</param>
    /// <param name="now">Ticks of UTC.</param>
    /// <param name="until">When it ends; null for never.</param>
    public TraceRequest? Add(string target, Flow? flow, FlowQuery? query, long now, long? until)
    {
        if (_requests.Count >= Maximum)
        {
            int over = _requests.FindIndex(each => Array.IndexOf(_active, each) < 0);
            if (over < 0)
            {
                return null;
            }

            _requests.RemoveAt(over);
        }

        // What the capture was started with is not counted among those that users choose.
        int id = until is null ? 0 : ++_lastId;
        TraceRequest request = new(id, target, flow, query, now, until);
        _requests.Add(request);
        _active = [.. _active, request];
        return request;
    }

    /// <summary>Takes a trace out.</summary>
    public void Remove(TraceRequest request)
    {
        _requests.Remove(request);
        _active = [.. _active.Where(each => each != request)];
    }

    /// <summary>Ends those whose time is over; true when there were any.</summary>
    public bool Expire(long now)
    {
        int before = _active.Length;
        _active = Array.Exists(_active, each => each.Until <= now) ? [.. _active.Where(each => !(each.Until <= now))] : _active;
        return _active.Length != before;
    }

    /// <summary>When the next one ends: ticks of UTC; <see cref="long.MaxValue"/> for never.</summary>
    public long NextEnd() => _active.Length == 0 ? long.MaxValue : _active.Min(each => each.Until ?? long.MaxValue);

    /// <summary>Counts packets and steps of a flow for each trace that it belongs to.</summary>
    public void Count(ref readonly FlowRecord record, int packets, int steps)
    {
        foreach (TraceRequest request in _active)
        {
            if (request.IsFor(in record))
            {
                request.Packets += packets;
                request.Steps += steps;
            }
        }
    }
}
