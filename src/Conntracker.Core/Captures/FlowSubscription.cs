using System.Threading.Channels;
using Conntracker.Core.Captures;
using Conntracker.Core.Flows;
using Conntracker.Core.HostAddresses;
using Conntracker.Core.Processes;
using Conntracker.Core.Tracing;

namespace Conntracker;

/// <summary>
/// Flows as they appear, for one reader. The queue is bounded: when the reader is slower than the network, the newest are left out of
/// the stream and counted. They are in the capture. Ends when it is disposed.
/// </summary>
public sealed class FlowSubscription : IDisposable
{
    private const int Capacity = 65_536;

    private readonly FlowQuery _query;
    private readonly Action<FlowSubscription> _leave;
    private readonly Channel<Flow> _queue = Channel.CreateBounded<Flow>(
        new BoundedChannelOptions(Capacity) { SingleReader = true, SingleWriter = true, FullMode = BoundedChannelFullMode.Wait });
    private long _skipped;

    /// <param name="query">Which flows are wanted.</param>
    /// <param name="leave">Takes it off the list of those that are informed.</param>
    internal FlowSubscription(FlowQuery query, Action<FlowSubscription> leave)
    {
        _query = query;
        _leave = leave;
    }

    /// <summary>The flows, in the order in which they appeared.</summary>
    public ChannelReader<Flow> Reader => _queue.Reader;

    /// <summary>How many were left out because the queue was full.</summary>
    public long Skipped => Interlocked.Read(ref _skipped);

    /// <summary>Offers a flow; called under the collector's lock.</summary>
    internal void Publish(ref readonly FlowRecord record, LocalAddresses addresses, FlowDetailStore details, TraceSnapshot trace, ProcessSnapshot processes)
    {
        if (_query.Matches(in record, trace.Verdict(details, in record))
            && !_queue.Writer.TryWrite(FlowProjection.ToFlow(in record, null, addresses, details, trace, processes)))
        {
            Interlocked.Increment(ref _skipped);
        }
    }

    /// <summary>Ends it: nothing more comes. What is in the queue can still be read.</summary>
    public void Dispose()
    {
        _leave(this);
        Complete();
    }

    /// <summary>Nothing more comes.</summary>
    internal void Complete() => _queue.Writer.TryComplete();
}
