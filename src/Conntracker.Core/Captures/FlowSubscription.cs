using System.Threading.Channels;
using Conntracker.Core.Captures;
using Conntracker.Core.Flows;
using Conntracker.Core.HostAddresses;
using Conntracker.Core.Processes;
using Conntracker.Core.Tracing;

namespace Conntracker;

/// <summary>
/// New flows, for one reader. The queue is bounded: when the reader is slower than the network, the newest flows are left out of
/// the stream and counted; the capture still has them. The subscription ends when it is disposed.
/// </summary>
public sealed class FlowSubscription : IDisposable
{
    private const int Capacity = 65_536;

    private readonly FlowQuery _query;
    private readonly Action<FlowSubscription> _leave;
    private readonly Channel<Flow> _queue = Channel.CreateBounded<Flow>(
        new BoundedChannelOptions(Capacity) { SingleReader = true, SingleWriter = true, FullMode = BoundedChannelFullMode.Wait });
    private long _skipped;

    /// <param name="query">The query that a flow must match.</param>
    /// <param name="leave">Removes the subscription from the publisher's list.</param>
    internal FlowSubscription(FlowQuery query, Action<FlowSubscription> leave)
    {
        _query = query;
        _leave = leave;
    }

    /// <summary>The flows, in the order in which they appeared.</summary>
    public ChannelReader<Flow> Reader => _queue.Reader;

    /// <summary>The number of flows that were left out because the queue was full.</summary>
    public long Skipped => Interlocked.Read(ref _skipped);

    /// <summary>Publishes a flow; called under the collector's lock.</summary>
    internal void Publish(ref readonly FlowRecord record, LocalAddresses addresses, FlowDetailStore details, TraceSnapshot trace, ProcessSnapshot processes)
    {
        if (_query.Matches(in record, trace.Verdict(details, in record))
            && !_queue.Writer.TryWrite(FlowProjection.ToFlow(in record, null, addresses, details, trace, processes)))
        {
            Interlocked.Increment(ref _skipped);
        }
    }

    /// <summary>Ends the subscription: nothing more is published. What is queued can still be read.</summary>
    public void Dispose()
    {
        _leave(this);
        Complete();
    }

    /// <summary>Completes the queue: nothing more is published.</summary>
    internal void Complete() => _queue.Writer.TryComplete();
}
