namespace Conntracker;

/// <summary>What a capture saw and what it missed: printed with every result, so that no loss goes unnoticed.</summary>
/// <param name="Events">Events of connection tracking that were received.</param>
/// <param name="Lost">Messages that the kernel could not queue (its own count), and datagrams that were too long for their buffer.</param>
/// <param name="Overruns">How often the receive buffer overran.</param>
/// <param name="Repaired">Flows that a dump corrected after an overrun: they were missing, out of date, or had ended unnoticed.</param>
/// <param name="Malformed">Messages that were not as the kernel writes them; packets that are truncated or contradict themselves.</param>
/// <param name="Folded">Flows that were folded into others at the flow limit.</param>
public readonly record struct CaptureCounters(long Events, long Lost, long Overruns, long Repaired, long Malformed, long Folded)
{
    /// <summary>
    /// Open flows that began before the capture and for which the kernel has sent no event: with net.netfilter.nf_conntrack_events=2, the default,
    /// it sends none for connections that began while no program listened. Their state and their end are read from the kernel's table.
    /// </summary>
    public long EventlessFlows { get; init; }

    /// <summary>
    /// Packets that connection tracking dropped while the capture ran, by the kernel's own statistics of the network namespace: its table was full
    /// (net.netfilter.nf_conntrack_max), or a helper refused them.
    /// </summary>
    public long ConntrackDrops { get; init; }

    /// <summary>Connections that the kernel removed early from its full table, to make room for others.</summary>
    public long ConntrackEarlyDrops { get; init; }

    /// <summary>
    /// Messages and packets that are missing in the recording, because the disk was too slow for it. The capture that was recorded has them.
    /// </summary>
    public long RecordingLost { get; init; }

    /// <summary>
    /// Losses that may leave flows without a process or a command line: reports of sockets and of new processes that were lost on their way from the
    /// kernel, sockets that were not looked up because too many were waiting, and processes whose texts (command line, path, cgroup) were truncated
    /// or left out, because those of all processes exceed 128 MiB. 0 unless processes are resolved.
    /// </summary>
    public long ProcessesLost { get; init; }

    /// <summary>
    /// Reports of sockets in other network namespaces that did not identify the process of a flow: two connected namespaces claim the same end of the
    /// flow, or it is unknown whether the namespace is connected to the capture's. 0 unless processes are resolved.
    /// </summary>
    public long ProcessesUncertain { get; init; }

    /// <summary>Messages of nftables' trace that were received.</summary>
    public long NftablesTraces { get; init; }

    /// <summary>Messages of nftables' trace that the kernel could not queue, by its own count.</summary>
    public long NftablesTracesLost { get; init; }

    /// <summary>
    /// Traced packets with missing steps: packets that met more than 64 steps before their flow was known, packets that were given up because
    /// too many were in progress, and ICMP errors whose trace does not show which packet they are about. Their flows, if known, have
    /// <see cref="Flow.TraceIncomplete"/> set.
    /// </summary>
    public long TracesIncomplete { get; init; }

    /// <summary>TRACE lines of iptables-legacy that were received.</summary>
    public long IptablesTraces { get; init; }

    /// <summary>TRACE lines of iptables-legacy that were lost between the kernel and the capture.</summary>
    public long IptablesTracesLost { get; init; }

    /// <summary>Packets that were received, including those that belong to no flow (<see cref="PacketsSkipped"/>). 0 unless packets are the source.</summary>
    public long Packets { get; init; }

    /// <summary>Packets that the kernel or the interface dropped before they could be read (libpcap's ps_drop and ps_ifdrop).</summary>
    public long PacketsLost { get; init; }

    /// <summary>
    /// Packets that belong to no flow: of other protocols than IP (ARP, for example), and later fragments whose first one was not seen. Packets that
    /// are malformed, or truncated before their ports, count as <see cref="Malformed"/>.
    /// </summary>
    public long PacketsSkipped { get; init; }
}
