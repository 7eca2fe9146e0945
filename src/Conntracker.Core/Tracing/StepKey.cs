namespace Conntracker.Core.Tracing;

/// <summary>What distinguishes steps while the ruleset does not change. Names are numbers of a <see cref="StringPool"/>.</summary>
/// <param name="Engine">The engine that reported it.</param>
/// <param name="Family">NFPROTO_* of the table.</param>
/// <param name="Base">The base chain through which the packet came: a number of <see cref="StepTable"/>; 0 when not known.</param>
/// <param name="Table">The table.</param>
/// <param name="Chain">The chain.</param>
/// <param name="Type">Rule, policy or return.</param>
/// <param name="Place">nftables: the rule's handle. iptables: its position.</param>
/// <param name="Verdict">nftables: NF_* or NFT_*. iptables: 0, as its lines have none.</param>
/// <param name="JumpChain">The target of a jump; 0 for none.</param>
internal readonly record struct StepKey(
    TraceEngine Engine, byte Family, int Base, int Table, int Chain, TraceStepType Type, ulong Place, int Verdict, int JumpChain);

/// <summary>A base chain, where a hook enters a table: a packet traverses it at most once, except through a loopback device.</summary>
/// <param name="Engine">The packet filter.</param>
/// <param name="Family">NFPROTO_* of the table.</param>
/// <param name="Table">The table.</param>
/// <param name="Chain">nftables: the chain. iptables: the hook's number (NF_INET_*).</param>
internal readonly record struct BaseKey(TraceEngine Engine, byte Family, int Table, int Chain);
