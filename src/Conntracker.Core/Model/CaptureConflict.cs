namespace Conntracker;

/// <summary>
/// An option of a capture that does not go together with another one. What goes together is decided here for the engine, the cmdlet and the program;
/// each of them has its own names for the options.
/// </summary>
/// <param name="Option">The option: the name of a property of <see cref="CaptureOptions"/>.</param>
/// <param name="Other">The option that excludes it, by the same names; null if <paramref name="Option"/> requires packets as the source.</param>
/// <param name="Reason">Why, in a clause that ends with a full stop.</param>
public sealed record CaptureConflict(string Option, string? Other, string Reason)
{
    private const string OnlyReplays = "a replay only reads a recording.";
    private const string OnlyReadsFile = "a capture file is only read to its end.";
    private const string NeedsConntrack = "it requires connection tracking, and the source is packets. Packets are always counted.";
    private const string NeedsPackets = "otherwise the source is connection tracking, not packets.";

    private static readonly string[] s_notOfReplays =
    [
        nameof(CaptureOptions.NetworkNamespace), nameof(CaptureOptions.Accounting), nameof(CaptureOptions.KeepTracking), nameof(CaptureOptions.ResolveProcess),
        nameof(CaptureOptions.RecordPath), nameof(CaptureOptions.Duration), nameof(CaptureOptions.Trace), nameof(CaptureOptions.TraceDuration),
        nameof(CaptureOptions.Interface), nameof(CaptureOptions.Filter), nameof(CaptureOptions.PcapPath),
    ];

    private static readonly string[] s_ofConntrack =
    [
        nameof(CaptureOptions.Accounting), nameof(CaptureOptions.KeepTracking), nameof(CaptureOptions.Trace), nameof(CaptureOptions.TraceDuration),
    ];

    private static readonly string[] s_notOfFiles =
    [
        nameof(CaptureOptions.NetworkNamespace), nameof(CaptureOptions.Duration), nameof(CaptureOptions.ResolveProcess), nameof(CaptureOptions.Interface),
    ];

    private static readonly string[] s_ofPackets = [nameof(CaptureOptions.Filter), nameof(CaptureOptions.IncomingUdpPorts)];

    /// <summary>Finds all conflicts.</summary>
    /// <param name="given">The options that were given, by the names of properties of <see cref="CaptureOptions"/>.</param>
    /// <param name="source">The source that was given; null if it follows from the others, as with <see cref="CaptureOptions.SourceOf"/>.</param>
    public static IReadOnlyList<CaptureConflict> Among(IReadOnlySet<string> given, CaptureSource? source)
    {
        ArgumentNullException.ThrowIfNull(given);
        bool replays = given.Contains(nameof(CaptureOptions.ReplayPath));
        bool hasFile = given.Contains(nameof(CaptureOptions.PcapPath));
        bool hasInterface = given.Contains(nameof(CaptureOptions.Interface));
        string? packets = hasFile ? nameof(CaptureOptions.PcapPath)
            : hasInterface ? nameof(CaptureOptions.Interface)
            : source == CaptureSource.Packet ? nameof(CaptureOptions.Source)
            : null;
        List<CaptureConflict> conflicts = [];
        void Add(bool applies, IEnumerable<string> options, string? other, string reason) =>
            conflicts.AddRange(from option in options
                               where applies && option != other && given.Contains(option)
                               select new CaptureConflict(option, other, reason));

        Add(replays, s_notOfReplays, nameof(CaptureOptions.ReplayPath), OnlyReplays);
        if (replays && source == CaptureSource.Packet)
        {
            conflicts.Add(new CaptureConflict(nameof(CaptureOptions.Source), nameof(CaptureOptions.ReplayPath), OnlyReplays));
        }

        if (source == CaptureSource.Conntrack && packets is not null)
        {
            conflicts.Add(new CaptureConflict(nameof(CaptureOptions.Source), packets, NeedsConntrack));
        }

        Add(packets is not null, s_ofConntrack, packets, NeedsConntrack);
        Add(hasFile, s_notOfFiles, nameof(CaptureOptions.PcapPath), OnlyReadsFile);

        // A replay of packets accepts other ports; that it takes no filter is a conflict already.
        Add(packets is null && !replays, s_ofPackets, other: null, NeedsPackets);
        return conflicts;
    }

    /// <summary>The conflict in a sentence.</summary>
    /// <param name="name">What users call an option, by the name of its property.</param>
    /// <param name="packets">How users choose packets as the source.</param>
    public string Describe(Func<string, string> name, string packets)
    {
        ArgumentNullException.ThrowIfNull(name);
        return Other is null ? $"{name(Option)} requires {packets}: {Reason}" : $"{name(Option)} cannot be used with {name(Other)}: {Reason}";
    }
}
