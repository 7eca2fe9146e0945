





namespace Conntracker;

/// <summary>
/// A capture. Its properties tell how it stands at the moment they are read; stopped, it keeps its flows until it is removed.
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

    /// <summary>What it is doing.</summary>
    public CaptureState State => Session.State;

    /// <summary>Where its flows come from; of a replay, what the recording holds.</summary>
    public CaptureSource Source => Options.ReplayPath is not null && Session.Counters.Packets > 0 ? CaptureSource.Packet : Options.Source;

    /// <summary>When it was started.</summary>
    public DateTimeOffset StartTime => Session.StartTime;

    /// <summary>How long it has run, or ran.</summary>
    public TimeSpan Duration => Session.Duration;

    /// <summary>How many flows it holds.</summary>
    public int FlowCount => Session.FlowCount;

    /// <summary>Events of connection tracking that were taken in.</summary>
    public long Events => Session.Counters.Events;

    /// <summary>Messages that the kernel could not queue, by its own count.</summary>
    public long Lost => Session.Counters.Lost;

    /// <summary>How often the receive buffer overran.</summary>
    public long Overruns => Session.Counters.Overruns;

    /// <summary>Flows that a dump put right after an overrun.</summary>
    public long Repaired => Session.Counters.Repaired;

    /// <summary>Messages that were not as the kernel writes them; packets that are cut off or contradict themselves.</summary>
    public long Malformed => Session.Counters.Malformed;

    /// <summary>Flows that were folded into others at the flow limit.</summary>
    public long Folded => Session.Counters.Folded;

    /// <summary>Open flows from before the capture for which the kernel has made no event: its table is read to follow them.</summary>
    public long EventlessFlows => Session.Counters.EventlessFlows;

    /// <summary>Packets that connection tracking dropped while the capture ran: the kernel's table was full, or a helper refused them.</summary>
    public long ConntrackDrops => Session.Counters.ConntrackDrops;

    /// <summary>Connections that the kernel removed from its full table before their time.</summary>
    public long ConntrackEarlyDrops => Session.Counters.ConntrackEarlyDrops;

    /// <summary>Messages and packets that are missing in the recording, because the disk was too slow for it; a replay of it lacks them.</summary>
    public long RecordingLost => Session.Counters.RecordingLost;

    /// <summary>Messages of nftables' trace that were taken in.</summary>
    public long NftablesTraces => Session.Counters.NftablesTraces;

    /// <summary>Messages of nftables' trace that the kernel could not queue, by its own count.</summary>
    public long NftablesTracesLost => Session.Counters.NftablesTracesLost;

    /// <summary>Traced packets of which steps are missing: see <see cref="Flow.TraceIncomplete"/>; ICMP errors of which is not known what they are about among them.</summary>
    public long TracesIncomplete => Session.Counters.TracesIncomplete;

    /// <summary>TRACE lines of iptables-legacy that were taken in.</summary>
    public long IptablesTraces => Session.Counters.IptablesTraces;

    /// <summary>TRACE lines of iptables-legacy that were lost between the kernel and the capture.</summary>
    public long IptablesTracesLost => Session.Counters.IptablesTracesLost;

    /// <summary>Packets that were taken in; 0 unless packets are the source.</summary>
    public long Packets => Session.Counters.Packets;

    /// <summary>Packets that the kernel or the interface dropped before they could be taken in.</summary>
    public long PacketsLost => Session.Counters.PacketsLost;

    /// <summary>Packets of which no flow tells: of other protocols than IP, and later fragments whose first one was not seen.</summary>
    public long PacketsSkipped => Session.Counters.PacketsSkipped;

    /// <summary>What a user ought to know of it: once a cause.</summary>
    public IReadOnlyList<string> Notices => Session.Notices.All();

    /// <summary>What ended it; null when it runs, or ended well.</summary>
    public string? Error => Session.Error?.Message;

    /// <summary>How it was made.</summary>
    public CaptureOptions Options { get; }

    internal CaptureSession Session { get; }

    /// <summary>Everything that it saw and did not see, of one moment.</summary>
    public CaptureCounters GetCounters() => Session.Counters;

    /// <summary>The flows that are wanted, as they are now, one at a time.</summary>
    /// <param name="query">Which flows are wanted.</param>
    /// <param name="cancellation">Gives up waiting for the kernel's counters.</param>
    public IEnumerable<Flow> GetFlows(FlowQuery query, CancellationToken cancellation = default) => Session.GetFlows(query, cancellation);

    /// <summary>Subscribes to flows as they appear. The caller disposes the subscription.</summary>
    /// <param name="query">Which flows are wanted.</param>
    public FlowSubscription Subscribe(FlowQuery query) => Session.Subscribe(query);

    /// <summary>Has the packets of a flow traced for a time, in both directions.</summary>
    /// <param name="flow">The flow.</param>
    /// <param name="duration">For how long.</param>
    /// <returns>The trace, and whether it was active already: then its time starts anew.</returns>
    /// <exception cref="ConntrackException">The capture does not run, cannot trace, or traces too much; the flow is folded, or of a text log.</exception>
    /// <exception cref="ArgumentException">The time is shorter than a second, or longer than a day.</exception>
    public (FlowTrace Trace, bool WasActive) EnableTrace(Flow flow, TimeSpan duration)
    {
        ArgumentNullException.ThrowIfNull(flow);
        return Traced(Session.EnableTrace(flow, query: null, Target(flow), duration));
    }

    /// <summary>Has the packets of all flows that a query matches traced for a time, of those to come as well.</summary>
    /// <param name="query">The query: protocols, addresses and ports; its states, verdicts and times are left out of account.</param>
    /// <param name="duration">For how long.</param>
    /// <returns>The trace, and whether it was active already: then its time starts anew.</returns>
    /// <exception cref="ConntrackException">The capture does not run, cannot trace, or traces too much.</exception>
    /// <exception cref="ArgumentException">Nothing can match the query, or the time is shorter than a second, or longer than a day.</exception>
    public (FlowTrace Trace, bool WasActive) EnableTrace(FlowQuery query, TimeSpan duration)
    {
        ArgumentNullException.ThrowIfNull(query);
        return Traced(Session.EnableTrace(flow: null, query, query.ToString(), duration));
    }

    /// <summary>The active trace that was enabled with this flow; null when there is none.</summary>
    public FlowTrace? FindTrace(Flow flow)
    {
        ArgumentNullException.ThrowIfNull(flow);
        return FindTrace(Target(flow));
    }

    /// <summary>The active trace that was enabled with an equal query; null when there is none.</summary>
    public FlowTrace? FindTrace(FlowQuery query)
    {
        ArgumentNullException.ThrowIfNull(query);
        return FindTrace(query.ToString());
    }

    /// <summary>Ends a trace before its time; false when the capture has none of this number, or it is what the capture was started with.</summary>
    /// <param name="id">Its number (<see cref="FlowTrace.Id"/>).</param>
    /// <exception cref="ConntrackException">The capture does not run.</exception>
    public bool DisableTrace(int id) => Session.DisableTrace(id);

    /// <summary>What it traces, and what came of it so far.</summary>
    public IReadOnlyList<FlowTrace> GetTraces() => Session.GetTraces(Name);

    /// <summary>Stops it and waits until it has ended. Its flows stay.</summary>
    public void Stop() => Session.Stop();

    /// <summary>Waits until it has ended; false when the time was over before.</summary>
    public bool Wait(TimeSpan timeout, CancellationToken cancellation = default) => Session.Wait(timeout, cancellation);

    /// <summary>The name.</summary>
    public override string ToString() => Name;

    // Pings between two hosts differ in their ids only, and flows in several zones in the zone.
    private static string Target(Flow flow) =>
        $"{flow}{(flow.IcmpId is ushort id ? $" id {id}" : "")}{(flow.Zone == 0 ? "" : $" zone {flow.Zone}")}";

    private (FlowTrace Trace, bool WasActive) Traced((int Id, bool WasActive) enabled) =>
        (GetTraces().First(each => each.Id == enabled.Id), enabled.WasActive);

    private FlowTrace? FindTrace(string target) => GetTraces().FirstOrDefault(each => each.Id != 0 && each.IsActive && each.Target == target);
}
