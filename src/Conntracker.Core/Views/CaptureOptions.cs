using System.Runtime.CompilerServices;

namespace Conntracker;

/// <summary>How a capture is made.</summary>
public sealed class CaptureOptions
{
    /// <summary>The least number that <see cref="MaximumFlows"/> can be.</summary>
    public const int MinimumOfMaximumFlows = 1024;

    /// <summary>The greatest number that <see cref="MaximumFlows"/> can be.</summary>
    public const int MaximumOfMaximumFlows = 100_000_000;

    /// <summary>The least number that <see cref="BufferSize"/> can be.</summary>
    public const int MinimumBufferSize = 4096;

    /// <summary>The greatest number that <see cref="BufferSize"/> can be: the kernel doubles it in an int.</summary>
    public const int MaximumBufferSize = 1 << 30;

    /// <summary>The least time that a flow can be traced.</summary>
    public static TimeSpan MinimumTraceDuration { get; } = TimeSpan.FromSeconds(1);

    /// <summary>The longest time that a flow can be traced.</summary>
    public static TimeSpan MaximumTraceDuration { get; } = TimeSpan.FromDays(1);

    /// <summary>
    /// The network namespace to capture in: a name as <c>ip netns</c> shows it, or a path (<c>/proc/4711/ns/net</c>). Null: the one that
    /// the process is in.
    /// </summary>
    public string? NetworkNamespace { get; init; }

    /// <summary>The protocols to keep; empty keeps all.</summary>
    public IReadOnlyList<FlowProtocol> Protocols { get; init; } = [];

    /// <summary>
    /// Have the kernel count packets and bytes and note start times (nf_conntrack_acct, nf_conntrack_timestamp) while the capture runs.
    /// Connections made before are not counted.
    /// </summary>
    public bool Accounting { get; init; }

    /// <summary>Find the process behind each flow that begins or ends on this host, with eBPF programs attached to the root of the cgroup hierarchy.</summary>
    public bool ResolveProcess { get; init; }

    /// <summary>Which packets are traced through the rules.</summary>
    public TraceMode Trace { get; init; }

    /// <summary>How long each flow is traced with <see cref="TraceMode.Flows"/>; one second to one day.</summary>
    public TimeSpan TraceDuration { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Tuples that each set of the kernel holds for tracing: about 150 bytes each, when they are there.</summary>
    internal int TraceCapacity { get; init; } = 1 << 20;

    /// <summary>How many flows are held before the oldest closed ones are folded; 1,024 to 100,000,000.</summary>
    public int MaximumFlows { get; init; } = 1_000_000;

    /// <summary>The receive buffer of the event socket, in bytes; 4,096 to 1,073,741,824.</summary>
    public int BufferSize { get; init; } = 64 << 20;

    /// <summary>A new file that gets every message of the kernel; null for none.</summary>
    public string? RecordPath { get; init; }

    /// <summary>A recording to replay instead of capturing; null to capture.</summary>
    public string? ReplayPath { get; init; }

    /// <summary>How long the capture runs; null until it is stopped.</summary>
    public TimeSpan? Duration { get; init; }

    /// <summary>Checks for how long something is to be traced.</summary>
    /// <exception cref="ArgumentException">It is too short or too long.</exception>
    internal static void CheckTraceDuration(TimeSpan duration, [CallerArgumentExpression(nameof(duration))] string? name = null)
    {
        if (duration < MinimumTraceDuration || duration > MaximumTraceDuration)
        {
            throw new ArgumentException($"Packets can be traced for {MinimumTraceDuration} to {MaximumTraceDuration} (a second to a day), not for {duration}.", name);
        }
    }

    /// <summary>Checks the numbers.</summary>
    /// <exception cref="ArgumentOutOfRangeException">One is out of its range.</exception>
    /// <exception cref="ArgumentException">Two options exclude each other.</exception>
    internal void Validate()
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
        if (ReplayPath is not null && (RecordPath is not null || NetworkNamespace is not null || Accounting || ResolveProcess || Trace != TraceMode.None))
        {
            throw new ArgumentException("A replay reads a recording and nothing else: it has no network namespace, no accounting, resolves no processes, traces nothing new, and is not recorded again.");
        }
    }
}
