using Conntracker.Core.Tracing;
using Conntracker.Core.Tracing.Nftables;

namespace Conntracker;

/// <summary>The session's traces.</summary>
public sealed partial class CaptureSession
{
    /// <summary>Traces the packets of a flow, or of the flows that match a query, for a time.</summary>
    /// <returns>The trace, and whether it was active already: then its time starts again.</returns>
    /// <exception cref="ConntrackException">The capture is not running, cannot trace, or traces too much; the flow has no exact tuple.</exception>
    /// <exception cref="ArgumentException">The time is too short or too long, or nothing can match the query.</exception>
    internal (int Id, bool WasActive) EnableTrace(Flow? flow, FlowQuery? query, string target, TimeSpan duration, CancellationToken cancellation)
    {
        CaptureOptions.CheckTraceDuration(duration);
        if (flow is not null && TraceSelector.WhyNot(flow) is string reason)
        {
            throw new ConntrackException(ConntrackErrorReason.FlowNotTraceable, $"{flow} cannot be traced: {reason}");
        }

        if (query is not null)
        {
            TraceSelector.Check(query, _options.Protocols);
        }

        (TraceRequest request, bool wasActive) = WhileRunning(tracing => tracing.Enable(flow, query, target, duration, cancellation));
        return (request.Id, wasActive);
    }

    /// <summary>Ends a trace early; false if there is none of this number.</summary>
    /// <exception cref="ConntrackException">The capture is not running.</exception>
    internal bool DisableTrace(int id, CancellationToken cancellation) => WhileRunning(tracing => tracing.Disable(id, cancellation));

    /// <summary>The traces, and their results so far.</summary>
    internal IReadOnlyList<FlowTrace> GetTraces(string capture) => _runner.Tracing?.List(capture, _state == CaptureState.Running) ?? [];

    private T WhileRunning<T>(Func<TraceControl, T> act)
    {
        ConntrackException over = new(ConntrackErrorReason.CaptureNotRunning, "Only a running capture can trace. This capture has ended, or is a replay.");
        if (_runner.Tracing is not TraceControl tracing || _state != CaptureState.Running)
        {
            throw over;
        }

        try
        {
            return act(tracing);
        }
        catch (ObjectDisposedException)
        {
            throw over;
        }
    }
}
