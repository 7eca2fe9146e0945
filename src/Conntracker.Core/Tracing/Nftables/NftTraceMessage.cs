using Conntracker.Core.Packets;

namespace Conntracker.Core.Tracing.Nftables;

/// <summary>
/// nftables' report of one packet at one point of the ruleset (NFT_MSG_TRACE). Names and headers are spans into the message. The first message of
/// each base chain that a packet enters carries the packet's headers; the others only its id.
/// </summary>
internal ref struct NftTraceMessage
{
    /// <summary>The table's family: NFPROTO_*, from the message's header.</summary>
    public byte Family;

    /// <summary>The table's name, without the terminating zero.</summary>
    public ReadOnlySpan<byte> Table;

    /// <summary>The chain's name.</summary>
    public ReadOnlySpan<byte> Chain;

    /// <summary>The chain that a jump or goto leads to; empty for other verdicts.</summary>
    public ReadOnlySpan<byte> JumpChain;

    /// <summary>Rule, policy or return (NFTA_TRACE_TYPE).</summary>
    public TraceStepType Type;

    /// <summary>The rule's handle; 0 for a policy.</summary>
    public ulong Handle;

    /// <summary>NF_* or NFT_*: the verdict of the rule, or the policy.</summary>
    public int Verdict;

    /// <summary>The same for all messages of one packet; reused for later packets.</summary>
    public uint Id;

    /// <summary>Whether the packet enters a base chain here.</summary>
    public bool EntersBaseChain;

    /// <summary>Whether <see cref="Packet"/> could be read.</summary>
    public bool HasPacket;

    /// <summary>The packet's tuple at this point: NAT may have changed it before.</summary>
    public PacketTuple Packet;

    /// <summary>
    /// Whether the packet was received from the loopback device (NFTA_TRACE_IIF, whose number is 1 in every network namespace): this host sent it.
    /// </summary>
    public bool IsFromLoopback;

    /// <summary>
    /// The number of the interface that the packet leaves by (NFTA_TRACE_OIF); 0 where it is not decided yet, and in a message without headers.
    /// </summary>
    public int OutInterface;

    /// <summary>The kernel's id of the connection (NFTA_TRACE_CT_ID); 0 before the conntrack hook, without tracking, and before Linux 6.17.</summary>
    public uint ConntrackId;

    /// <summary>Whether the packet is a reply (NFTA_TRACE_CT_DIRECTION); also false when the message does not contain it.</summary>
    public bool IsReply;

    /// <summary>
    /// Whether the packet belongs to a connection that existed before it (NFTA_TRACE_CT_STATE); also false when the message does not contain it.
    /// </summary>
    public bool IsEstablished;
}
