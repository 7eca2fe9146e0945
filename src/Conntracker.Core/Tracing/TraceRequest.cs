using Conntracker.Core.Addresses;
using Conntracker.Core.Flows;

namespace Conntracker.Core.Tracing;

/// <summary>A requested trace, and its results so far.</summary>
/// <param name="id">Its number.</param>
/// <param name="target">Its description for users.</param>
/// <param name="flow">The flow; null for a query.</param>
/// <param name="query">The query; null for a flow.</param>
/// <param name="start">When it began: ticks of UTC.</param>
/// <param name="until">When it ends; null for never.</param>
internal sealed class TraceRequest(int id, string target, Flow? flow, FlowQuery? query, long start, long? until)
{
    private const long Never = long.MaxValue;

    // Written on the capture's thread, read on any.
    private long _until = until ?? Never;

    /// <summary>The flow's key; zero for a query.</summary>
    public FlowKey Key { get; } = KeyOf(flow);

    /// <summary>Its number.</summary>
    public int Id => id;

    /// <summary>Its description for users.</summary>
    public string Target => target;

    /// <summary>The flow; null for a query.</summary>
    public Flow? Flow => flow;

    /// <summary>The query; null for a flow.</summary>
    public FlowQuery? Query => query;

    /// <summary>When it began: ticks of UTC.</summary>
    public long Start => start;

    /// <summary>When it ends: ticks of UTC; null for never.</summary>
    public long? Until
    {
        get => Volatile.Read(ref _until) is long end and not Never ? end : null;
        set => Volatile.Write(ref _until, value ?? Never);
    }

    /// <summary>Packets so far.</summary>
    public long Packets { get; set; }

    /// <summary>Steps so far.</summary>
    public long Steps { get; set; }

    /// <summary>The trace as a public object.</summary>
    /// <param name="capture">The capture's name.</param>
    /// <param name="now">Now: ticks of the same clock as its times.</param>
    /// <param name="isRunning">Whether the capture runs.</param>
    /// <param name="ahead">How much later the time of day is than that clock, which stops while the host is suspended: ticks.</param>
    public FlowTrace ToPublic(string capture, long now, bool isRunning, long ahead = 0) => new()
    {
        Id = id,
        Capture = capture,
        Target = target,
        Flow = flow,
        StartTime = new DateTimeOffset(start + ahead, TimeSpan.Zero),
        Until = Until is long end ? new DateTimeOffset(end + ahead, TimeSpan.Zero) : null,
        IsActive = isRunning && (Until is not long limit || limit > now),
        Packets = Packets,
        Steps = Steps,
    };

    private static FlowKey KeyOf(Flow? flow) => flow is null ? default : new FlowKey
    {
        Family = flow.Family,
        Protocol = flow.Protocol,
        Zone = flow.Zone,
        Original = new FlowEndpoints
        {
            Src = AddressBits.From(flow.SrcAddress),
            Dst = AddressBits.From(flow.DstAddress),
            SrcPort = flow.SrcPort ?? flow.IcmpId ?? 0,
            DstPort = flow.DstPort ?? FlowEndpoints.IcmpPort(flow.IcmpType ?? 0, flow.IcmpCode ?? 0),
        },
    };
}
