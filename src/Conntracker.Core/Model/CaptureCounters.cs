namespace Conntracker;

/// <summary>What a capture saw and what it did not: printed with every result, so that no loss goes unseen.</summary>
/// <param name="Events">Events of connection tracking that were taken in.</param>
/// <param name="Lost">Messages that the kernel could not queue (its own count), and datagrams that were too long for their buffer.</param>
/// <param name="Overruns">How often the receive buffer overran.</param>
/// <param name="Repaired">Flows that were missing, out of date, or gone unnoticed after an overrun, and that a dump put right.</param>
/// <param name="Malformed">Messages that were not as the kernel writes them; packets that are cut off or contradict themselves.</param>
/// <param name="Folded">Flows that were folded into others at the flow limit.</param>
public readonly record struct CaptureCounters(long Events, long Lost, long Overruns, long Repaired, long Malformed, long Folded)
{
    /// <summary>
    /// Open flows that began before the capture and for which the kernel has made no event: with net.netfilter.nf_conntrack_events=2, the default,
    /// it makes none for connections that began while nobody listened. Their state and their end are read from the kernel's table.
    /// </summary>
    public long EventlessFlows { get; init; }

    /// <summary>
    /// Packets that connection tracking dropped while the capture ran, by the kernel's own statistics of the network namespace: its table was full
    /// (net.netfilter.nf_conntrack_max), or a helper refused them.
    /// </summary>
    public long ConntrackDrops { get; init; }

    /// <summary>Connections that the kernel removed from its full table before their time, to make room for others.</summary>
    public long ConntrackEarlyDrops { get; init; }

    /// <summary>Messages and packets that are missing in the recording, because the disk was too slow for it. The capture that was recorded has them.</summary>
    public long RecordingLost { get; init; }

    /// <summary>
    /// Reports of sockets and of new processes that were lost on their way from the kernel, and sockets that could not be looked up because
    /// too many waited for it: processes of flows, or their command lines, that may be missing. Also processes whose texts (command line, path, cgroup)
    /// were cut off or left out, because those of all processes take more than 128 MiB. 0 unless processes are resolved.
    /// </summary>
    public long ProcessesLost { get; init; }

    /// <summary>
    /// Reports of sockets in other network namespaces that named no process of their flow: two connected namespaces claim the same end of it, or it could
    /// not be found out whether the namespace is connected to the capture's. 0 unless processes are resolved.
    /// </summary>
    public long ProcessesUncertain { get; init; }

    /// <summary>Messages of nftables' trace that were taken in.</summary>
    public long NftablesTraces { get; init; }

    /// <summary>Messages of nftables' trace that the kernel could not queue, by its own count.</summary>
    public long NftablesTracesLost { get; init; }

    /// <summary>
    /// Traced packets of which steps are missing: ways of more than 64 steps before the packet's flow was known, packets that were given up because
    /// too many were on their way, and ICMP errors of which the trace does not show what they are about. Their flows say <see cref="Flow.TraceIncomplete"/>,
    /// where they are known.
    /// </summary>
    public long TracesIncomplete { get; init; }

    /// <summary>TRACE lines of iptables-legacy that were taken in.</summary>
    public long IptablesTraces { get; init; }

    /// <summary>TRACE lines of iptables-legacy that were lost between the kernel and the capture.</summary>
    public long IptablesTracesLost { get; init; }

    /// <summary>Packets that were taken in, those of no flow among them (<see cref="PacketsSkipped"/>). 0 unless packets are the source.</summary>
    public long Packets { get; init; }

    /// <summary>Packets that the kernel or the interface dropped before they could be taken in (libpcap's ps_drop and ps_ifdrop).</summary>
    public long PacketsLost { get; init; }

    /// <summary>
    /// Packets of which no flow tells: of other protocols than IP (ARP, for one), and later fragments whose first one was not seen. What is not
    /// as it should be, or cut off before its ports, is <see cref="Malformed"/>.
    /// </summary>
    public long PacketsSkipped { get; init; }
}
