using System.Runtime.CompilerServices;
using Conntracker.Core.Model;

namespace Conntracker;

/// <summary>The options of a capture.</summary>
public sealed class CaptureOptions
{
    /// <summary>The smallest value of <see cref="MaximumFlows"/>.</summary>
    public const int MinimumOfMaximumFlows = 1024;

    /// <summary>The greatest value of <see cref="MaximumFlows"/>.</summary>
    public const int MaximumOfMaximumFlows = 100_000_000;

    /// <summary>The smallest value of <see cref="BufferSize"/>.</summary>
    public const int MinimumBufferSize = 4096;

    /// <summary>The greatest value of <see cref="BufferSize"/>: the kernel doubles it in an int.</summary>
    public const int MaximumBufferSize = 1 << 30;

    /// <summary>The shortest time to trace a flow.</summary>
    public static TimeSpan MinimumTraceDuration { get; } = TimeSpan.FromSeconds(1);

    /// <summary>The longest time to trace a flow.</summary>
    public static TimeSpan MaximumTraceDuration { get; } = TimeSpan.FromDays(1);

    /// <summary>
    /// The network namespace to capture in: a name as <c>ip netns</c> shows it, or a path (<c>/proc/4711/ns/net</c>). Null for the namespace
    /// of the process.
    /// </summary>
    public string? NetworkNamespace { get; init; }

    /// <summary>Where flows come from: connection tracking, or packets.</summary>
    public CaptureSource Source { get; init; }

    /// <summary>
    /// The interface whose packets are captured, or <c>any</c> for all of them; with <see cref="CaptureSource.Packet"/> only. Null: <c>any</c>,
    /// unless <see cref="PcapPath"/> is given.
    /// </summary>
    public string? Interface { get; init; }

    /// <summary>Which packets are captured: an expression of pcap-filter(7); with <see cref="CaptureSource.Packet"/> only. Null: all.</summary>
    public string? Filter { get; init; }

    /// <summary>A capture file (pcap or pcapng) to read instead of an interface; with <see cref="CaptureSource.Packet"/> only.</summary>
    public string? PcapPath { get; init; }

    /// <summary>
    /// UDP ports of services on this host: a flow that uses one of them is incoming, whichever side was seen to send first. With
    /// <see cref="CaptureSource.Packet"/> only: connection tracking knows which side began.
    /// </summary>
    public IReadOnlyList<int> IncomingUdpPorts { get; init; } = [];

    /// <summary>
    /// Addresses that count as the host's own, in addition to those that the kernel reports: they decide <see cref="Flow.Direction"/>. For
    /// capture files, which do not say which host they are from, and for mirror ports.
    /// </summary>
    public IReadOnlyList<AddressRange> LocalAddresses { get; init; } = [];

    /// <summary>The protocols to keep; empty keeps all.</summary>
    public IReadOnlyList<FlowProtocol> Protocols { get; init; } = [];

    /// <summary>
    /// Whether the kernel counts packets and bytes and notes start times (nf_conntrack_acct, nf_conntrack_timestamp) while the capture runs.
    /// Connections that began before are not counted.
    /// </summary>
    public bool Accounting { get; init; }

    /// <summary>
    /// Whether the kernel keeps tracking connections even when its table is nearly full. Otherwise, if nothing was tracked before the capture, the
    /// capture removes its nftables table at 90 % of net.netfilter.nf_conntrack_max: a full table makes the kernel drop packets of new connections.
    /// </summary>
    public bool KeepTracking { get; init; }

    /// <summary>
    /// Whether to find the process behind each flow that begins or ends on this host, with eBPF programs attached to the root of the cgroup hierarchy.
    /// </summary>
    public bool ResolveProcess { get; init; }

    /// <summary>Which packets are traced through the rules.</summary>
    public TraceMode Trace { get; init; }

    /// <summary>How long each flow is traced with <see cref="TraceMode.Flows"/>; one second to one day.</summary>
    public TimeSpan TraceDuration { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>The capacity of each of the kernel's sets for tracing, in tuples with ports; null for what suits the machine's memory.</summary>
    internal int? TraceCapacity { get; init; }

    /// <summary>Whether to ignore the packet's connection in traces, which kernels before Linux 6.17 do not send.</summary>
    internal bool IgnoresTracedConnections { get; init; }

    /// <summary>Reads how full the kernel's table is; null for the kernel's own numbers. For tests.</summary>
    internal Func<TrackingReading?>? ReadTracking { get; init; }

    /// <summary>The path of the program that lists the nftables ruleset; null for the system's nft.</summary>
    internal string? NftProgram { get; init; }

    /// <summary>The number of flows that are held before some are folded, unanswered ones first; 1,024 to 100,000,000.</summary>
    public int MaximumFlows { get; init; } = 1_000_000;

    /// <summary>The receive buffer of the event socket, in bytes; 4,096 to 1,073,741,824.</summary>
    public int BufferSize { get; init; } = 64 << 20;

    /// <summary>A new file that receives every message of the kernel; null for none.</summary>
    public string? RecordPath { get; init; }

    /// <summary>A recording to replay instead of capturing; null to capture. The recording determines the source.</summary>
    public string? ReplayPath { get; init; }

    /// <summary>How long the capture runs; null to run until it is stopped.</summary>
    public TimeSpan? Duration { get; init; }

    /// <summary>The source of the flows, in words: which interface, file or network namespace.</summary>
    public override string ToString()
    {
        string slot = NetworkNamespace is null ? "" : $" in network namespace {NetworkNamespace}";
        string chosen = Filter is null ? "" : $", filter '{Filter}'";
        return this switch
        {
            { ReplayPath: string recording } => $"recording {recording}",
            { PcapPath: string file } => $"capture file {file}{chosen}",
            { Source: CaptureSource.Packet } => $"packets of {Interface ?? "any"}{slot}{chosen}",
            _ => $"connection tracking{slot}",
        };
    }

    /// <summary>Checks the time for which something is to be traced.</summary>
    /// <exception cref="ArgumentException">The time is too short or too long.</exception>
    public static void CheckTraceDuration(TimeSpan duration, [CallerArgumentExpression(nameof(duration))] string? name = null)
    {
        if (duration < MinimumTraceDuration || duration > MaximumTraceDuration)
        {
            throw new ArgumentException($"A trace can last from {MinimumTraceDuration} to {MaximumTraceDuration} (one second to one day), not {duration}.",
                name);
        }
    }

    /// <summary>Checks the options.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A number is out of its range.</exception>
    /// <exception cref="ArgumentException">Two options exclude each other.</exception>
    public void Validate()
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(MaximumFlows, MinimumOfMaximumFlows, nameof(MaximumFlows));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(MaximumFlows, MaximumOfMaximumFlows, nameof(MaximumFlows));
        ArgumentOutOfRangeException.ThrowIfLessThan(BufferSize, MinimumBufferSize, nameof(BufferSize));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(BufferSize, MaximumBufferSize, nameof(BufferSize));
        if (Duration is TimeSpan duration)
        {
            ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(duration, TimeSpan.Zero, nameof(Duration));
        }

        CheckTraceDuration(TraceDuration);
        foreach (int port in IncomingUdpPorts.Where(port => port is < 1 or > ushort.MaxValue))
        {
            throw new ArgumentOutOfRangeException(nameof(IncomingUdpPorts), port, "A UDP port must be from 1 to 65535.");
        }

        if (FindConflicts() is [CaptureConflict conflict, ..])
        {
            throw new ArgumentException(conflict.Describe(option => option, "the source Packet"));
        }
    }

    /// <summary>The source of the flows if it is not named: an interface or a capture file is a source of packets.</summary>
    /// <param name="networkInterface">The interface; null for none.</param>
    /// <param name="pcapPath">The capture file; null for none.</param>
    public static CaptureSource SourceOf(string? networkInterface, string? pcapPath) =>
        (networkInterface ?? pcapPath) is null ? CaptureSource.Conntrack : CaptureSource.Packet;

    /// <summary>The options that do not go together; empty when all do.</summary>
    public IReadOnlyList<CaptureConflict> FindConflicts()
    {
        (string Name, bool IsGiven)[] options =
        [
            (nameof(NetworkNamespace), NetworkNamespace is not null),
            (nameof(Interface), Interface is not null),
            (nameof(Filter), Filter is not null),
            (nameof(PcapPath), PcapPath is not null),
            (nameof(IncomingUdpPorts), IncomingUdpPorts.Count > 0),
            (nameof(Accounting), Accounting),
            (nameof(KeepTracking), KeepTracking),
            (nameof(ResolveProcess), ResolveProcess),
            (nameof(Trace), Trace != TraceMode.None),
            (nameof(RecordPath), RecordPath is not null),
            (nameof(ReplayPath), ReplayPath is not null),
            (nameof(Duration), Duration is not null),
        ];
        return CaptureConflict.Among(options.Where(option => option.IsGiven).Select(option => option.Name).ToHashSet(), Source);
    }
}
