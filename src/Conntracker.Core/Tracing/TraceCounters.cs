namespace Conntracker.Core.Tracing;

/// <summary>What was seen of traces, and what was not.</summary>
/// <param name="NftablesMessages">Messages of nftables' trace that were taken in.</param>
/// <param name="NftablesLost">Those that the kernel could not queue.</param>
/// <param name="IptablesLines">TRACE lines of iptables-legacy that were taken in.</param>
/// <param name="IptablesLost">Those that were lost on their way.</param>
/// <param name="Malformed">Messages and lines that were not as the kernel writes them.</param>
/// <param name="Incomplete">Packets, and lines of iptables-legacy, of which steps are missing.</param>
internal readonly record struct TraceCounters(long NftablesMessages, long NftablesLost, long IptablesLines, long IptablesLost, long Malformed, long Incomplete);
