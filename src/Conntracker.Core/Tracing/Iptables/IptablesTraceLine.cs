using Conntracker.Core.Packets;

namespace Conntracker.Core.Tracing.Iptables;

/// <summary>
/// One step of a packet through iptables-legacy, as the kernel logs it: <c>TRACE: table:chain:type:position</c> and the packet. Its spans refer to
/// the bytes that it was decoded from.
/// </summary>
internal ref struct IptablesTraceLine
{
    /// <summary><see cref="Hook"/> when it is not known.</summary>
    public const byte UnknownHook = 255;

    /// <summary>IPv4 for the tables of iptables-legacy, IPv6 for those of ip6tables-legacy.</summary>
    public FlowFamily Family;

    /// <summary>The hook that the packet was at (NF_INET_*), or <see cref="UnknownHook"/>: the kernel's log does not show it.</summary>
    public byte Hook;

    /// <summary>The table: <c>raw</c>, <c>mangle</c>, <c>nat</c>, <c>filter</c>, <c>security</c>.</summary>
    public ReadOnlySpan<byte> Table;

    /// <summary>The chain, built-in or user-defined, as raw bytes.</summary>
    public ReadOnlySpan<byte> Chain;

    /// <summary>What the packet met there.</summary>
    public TraceStepType Type;

    /// <summary>The rule's position in the chain, counted from 1; for a policy or the chain's end, the position behind the last rule.</summary>
    public int Position;

    /// <summary>The packet's tuple. Undefined unless <see cref="HasPacket"/>.</summary>
    public PacketTuple Packet;

    /// <summary>
    /// Whether the packet's tuple could be read: not for later fragments, and from the kernel's log neither for SCTP and DCCP (it lacks their ports)
    /// nor for ICMP queries other than echo (it lacks their id).
    /// </summary>
    public bool HasPacket;

    /// <summary>NFLOG's number of the line (NFULA_SEQ), which wraps; 0 when there is none.</summary>
    public uint Sequence;
}
