namespace Conntracker.Core.Tracing;

/// <summary>The counters of traces: what was received, and what was lost.</summary>
/// <param name="NftablesMessages">Received messages of nftables' trace.</param>
/// <param name="NftablesLost">Messages that the kernel could not queue.</param>
/// <param name="IptablesLines">Received TRACE lines of iptables-legacy.</param>
/// <param name="IptablesLost">TRACE lines that were lost.</param>
/// <param name="Malformed">Messages and lines that are not in the kernel's format.</param>
/// <param name="Incomplete">Packets, and lines of iptables-legacy, with missing steps.</param>
internal readonly record struct TraceCounters(long NftablesMessages, long NftablesLost, long IptablesLines, long IptablesLost, long Malformed, long Incomplete);
