namespace Conntracker;

/// <summary>
/// A capture. Its properties show its current values. A stopped capture keeps its flows until it is removed.
/// </summary>
public sealed class Capture
{
    internal Capture(int id, string name, CaptureOptions options, CaptureSession session)
    {
        Id = id;
        Name = name;
        Options = options;
        Session = session;
    }

    /// <summary>The capture's number in this process, counted from 1.</summary>
    public int Id { get; }

    /// <summary>The capture's name; unique in this process.</summary>
    public string Name { get; }

    /// <summary>What the capture is doing.</summary>
    public CaptureState State => Session.State;

    /// <summary>The source of its flows; for a replay, that of the recording.</summary>
    public CaptureSource Source => Options.ReplayPath is not null && Session.Counters.Packets > 0 ? CaptureSource.Packet : Options.Source;

    /// <summary>When the capture was started.</summary>
    public DateTimeOffset StartTime => Session.StartTime;

    /// <summary>How long the capture has run, or ran.</summary>
    public TimeSpan Duration => Session.Duration;

    /// <summary>The number of flows that the capture holds.</summary>
    public int FlowCount => Session.FlowCount;

    /// <summary>Events of connection tracking that were received.</summary>
    public long Events => Session.Counters.Events;

    /// <summary>Messages that the kernel could not queue, by its own count.</summary>
    public long Lost => Session.Counters.Lost;

    /// <summary>How often the receive buffer overran.</summary>
    public long Overruns => Session.Counters.Overruns;

    /// <summary>Flows that a dump corrected after an overrun.</summary>
    public long Repaired => Session.Counters.Repaired;

    /// <summary>Messages that were not as the kernel writes them; packets that are truncated or contradict themselves.</summary>
    public long Malformed => Session.Counters.Malformed;

    /// <summary>Flows that were folded into others at the flow limit.</summary>
    public long Folded => Session.Counters.Folded;

    /// <summary>Open flows from before the capture for which the kernel has sent no event: its table is read to follow them.</summary>
    public long EventlessFlows => Session.Counters.EventlessFlows;

    /// <summary>Packets that connection tracking dropped while the capture ran: the kernel's table was full, or a helper refused them.</summary>
    public long ConntrackDrops => Session.Counters.ConntrackDrops;

    /// <summary>Connections that the kernel removed early from its full table.</summary>
    public long ConntrackEarlyDrops => Session.Counters.ConntrackEarlyDrops;

    /// <summary>Messages and packets that are missing in the recording, because the disk was too slow for it. A replay lacks them.</summary>
    public long RecordingLost => Session.Counters.RecordingLost;

    /// <summary>Messages of nftables' trace that were received.</summary>
    public long NftablesTraces => Session.Counters.NftablesTraces;

    /// <summary>Messages of nftables' trace that the kernel could not queue, by its own count.</summary>
    public long NftablesTracesLost => Session.Counters.NftablesTracesLost;

    /// <summary>
    /// Traced packets with missing steps (see <see cref="Flow.TraceIncomplete"/>), and traced ICMP errors whose original packet is unknown.
    /// </summary>
    public long TracesIncomplete => Session.Counters.TracesIncomplete;

    /// <summary>TRACE lines of iptables-legacy that were received.</summary>
    public long IptablesTraces => Session.Counters.IptablesTraces;

    /// <summary>TRACE lines of iptables-legacy that were lost between the kernel and the capture.</summary>
    public long IptablesTracesLost => Session.Counters.IptablesTracesLost;

    /// <summary>Packets that were received; 0 unless packets are the source.</summary>
    public long Packets => Session.Counters.Packets;

    /// <summary>Packets that the kernel or the interface dropped before they could be read.</summary>
    public long PacketsLost => Session.Counters.PacketsLost;

    /// <summary>Packets that belong to no flow: of other protocols than IP, and later fragments whose first one was not seen.</summary>
    public long PacketsSkipped => Session.Counters.PacketsSkipped;

    /// <summary>Notices for the user, one per cause.</summary>
    public IReadOnlyList<string> Notices => Session.Notices.All();

    /// <summary>The error that ended the capture; null while it runs, and if it ended without one.</summary>
    public string? Error => Session.Error?.Message;

    /// <summary>The options of the capture.</summary>
    public CaptureOptions Options { get; }

    internal CaptureSession Session { get; }

    /// <summary>All counters, read at one moment.</summary>
    public CaptureCounters GetCounters() => Session.Counters;

    /// <summary>The current flows that match a query, one at a time.</summary>
    /// <param name="query">The query.</param>
    /// <param name="cancellation">Ends the wait for the kernel's counters.</param>
    public IEnumerable<Flow> GetFlows(FlowQuery query, CancellationToken cancellation = default) => Session.GetFlows(query, cancellation);

    /// <summary>
    /// The rules and policies as they were read last, to explain traces: of a replay those of the recording. Empty when nothing was traced.
    /// </summary>
    public IReadOnlyList<FirewallRule> GetFirewallRules() => Session.GetFirewallRules();

    /// <summary>Subscribes to flows as they appear. The caller disposes the subscription.</summary>
    /// <param name="query">The query that a flow must match.</param>
    public FlowSubscription Subscribe(FlowQuery query) => Session.Subscribe(query);

    /// <summary>Traces the packets of a flow for a time, in both directions.</summary>
    /// <param name="flow">The flow.</param>
    /// <param name="duration">The time; one second to one day.</param>
    /// <param name="cancellation">Stops waiting for the capture.</param>
    /// <returns>The trace, and whether it was active already: then its time starts again.</returns>
    /// <exception cref="ConntrackException">
    /// The capture is not running, cannot trace, or traces too much; the flow is folded, or was read from a text log.
    /// </exception>
    /// <exception cref="ArgumentException">The time is shorter than a second, or longer than a day.</exception>
    public (FlowTrace Trace, bool WasActive) EnableTrace(Flow flow, TimeSpan duration, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(flow);
        return Traced(Session.EnableTrace(flow, query: null, Target(flow), duration, cancellation));
    }

    /// <summary>Traces the packets of all flows that match a query for a time, including flows that begin later.</summary>
    /// <param name="query">The query: protocols, addresses and ports. Its states, verdicts and times are ignored.</param>
    /// <param name="duration">The time; one second to one day.</param>
    /// <param name="cancellation">Stops waiting for the capture.</param>
    /// <returns>The trace, and whether it was active already: then its time starts again.</returns>
    /// <exception cref="ConntrackException">The capture is not running, cannot trace, or traces too much.</exception>
    /// <exception cref="ArgumentException">Nothing can match the query, or the time is shorter than a second, or longer than a day.</exception>
    public (FlowTrace Trace, bool WasActive) EnableTrace(FlowQuery query, TimeSpan duration, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(query);
        return Traced(Session.EnableTrace(flow: null, query, query.ToString(), duration, cancellation));
    }

    /// <summary>The active trace that was enabled with this flow; null if there is none.</summary>
    public FlowTrace? FindTrace(Flow flow)
    {
        ArgumentNullException.ThrowIfNull(flow);
        return FindTrace(Target(flow));
    }

    /// <summary>The active trace that was enabled with an equal query; null if there is none.</summary>
    public FlowTrace? FindTrace(FlowQuery query)
    {
        ArgumentNullException.ThrowIfNull(query);
        return FindTrace(query.ToString());
    }

    /// <summary>Ends a trace early. False if the capture has no trace of this number, or was started with it.</summary>
    /// <param name="id">The trace's number (<see cref="FlowTrace.Id"/>).</param>
    /// <param name="cancellation">Stops waiting for the capture.</param>
    /// <exception cref="ConntrackException">The capture is not running.</exception>
    public bool DisableTrace(int id, CancellationToken cancellation = default) => Session.DisableTrace(id, cancellation);

    /// <summary>The traces of the capture, and their results so far.</summary>
    public IReadOnlyList<FlowTrace> GetTraces() => Session.GetTraces(Name);

    /// <summary>Stops the capture and waits until it has ended. Its flows stay.</summary>
    public void Stop() => Session.Stop();

    /// <summary>Waits until the capture has ended; false if the timeout came first.</summary>
    public bool Wait(TimeSpan timeout, CancellationToken cancellation = default) => Session.Wait(timeout, cancellation);

    /// <summary>The name.</summary>
    public override string ToString() => Name;

    // Pings between two hosts differ only in their ids, and flows in several zones only in the zone.
    private static string Target(Flow flow) =>
        $"{flow}{(flow.IcmpId is ushort id ? $" id {id}" : "")}{(flow.Zone == 0 ? "" : $" zone {flow.Zone}")}";

    private (FlowTrace Trace, bool WasActive) Traced((int Id, bool WasActive) enabled) =>
        (GetTraces().First(each => each.Id == enabled.Id), enabled.WasActive);

    private FlowTrace? FindTrace(string target) => GetTraces().FirstOrDefault(each => each.Id != 0 && each.IsActive && each.Target == target);
}
