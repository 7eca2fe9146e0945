namespace Conntracker.Core.Recording;

/// <summary>The input of a capture, live or from a recording. The values are part of the recording format: never change one.</summary>
internal enum MessageKind : byte
{
    /// <summary>A datagram of conntrack events.</summary>
    ConntrackEvent = 1,

    /// <summary>A datagram of a conntrack dump, its last one included.</summary>
    ConntrackDump = 2,

    /// <summary>A datagram of interface addresses, or of routes to this host itself (rtnetlink).</summary>
    Addresses = 3,

    /// <summary>A dump was requested. Data: one byte, a <see cref="DumpReason"/>.</summary>
    DumpRequested = 4,

    /// <summary>The event socket's buffer overran. No data.</summary>
    Overrun = 5,

    /// <summary>Messages that the kernel could not queue. Data: their number, 64 bits, little-endian.</summary>
    Lost = 6,

    /// <summary>A datagram was longer than its buffer. No data.</summary>
    Truncated = 7,

    /// <summary>A datagram of nftables: trace messages and changes of the ruleset, in the order in which they happened.</summary>
    NftablesTrace = 8,

    /// <summary>A datagram of NFLOG: TRACE lines of iptables-legacy, with the packet's first bytes.</summary>
    Nflog = 9,

    /// <summary>A line of /dev/kmsg: a TRACE line of iptables-legacy, UTF-8.</summary>
    KernelLog = 10,

    /// <summary>The nftables ruleset as text with handles, UTF-8, in parts: the first byte is 1 for the last part, otherwise 0.</summary>
    NftablesRuleset = 11,

    /// <summary>The rules of iptables-legacy as iptables-save prints them, UTF-8, in parts: the first byte is 1 for the last part, otherwise 0.</summary>
    IptablesRuleset = 12,

    /// <summary>The rules of ip6tables-legacy, as <see cref="IptablesRuleset"/>.</summary>
    Ip6tablesRuleset = 13,

    /// <summary>Trace messages of nftables that the kernel could not queue. Data: their number, 64 bits, little-endian.</summary>
    NftablesTraceLost = 14,

    /// <summary>TRACE lines that were lost between the kernel and the capture. Data: their number, 64 bits, little-endian.</summary>
    IptablesTraceLost = 15,

    /// <summary>A ruleset's text was requested. Data: one byte; 0 nftables, 1 iptables-legacy, 2 ip6tables-legacy.</summary>
    RulesetRequested = 16,

    /// <summary>A process: its number in this capture, and what is known about it. Precedes the first message that refers to the number.</summary>
    Process = 20,

    /// <summary>The process of a socket, by number, and the tuple of a packet that the socket sends or receives.</summary>
    SocketOwner = 21,

    /// <summary>Reports of sockets that were lost between the kernel and the capture. Data: their number, 64 bits, little-endian.</summary>
    SocketOwnersLost = 22,

    /// <summary>The kind of headers of the packets that follow: a DLT_* number of libpcap, 32 bits, little-endian.</summary>
    PacketLink = 24,

    /// <summary>A packet. Data: its length on the wire, 32 bits, little-endian; then its first bytes.</summary>
    Packet = 25,

    /// <summary>Packets that were dropped before they could be read. Data: their number, 64 bits, little-endian.</summary>
    PacketsLost = 26,

    /// <summary>All packets up to this time were delivered: flows that were idle for too long are closed. No data.</summary>
    PacketTime = 27,

    /// <summary>
    /// What connection tracking dropped since the last such message. Data: packets, then connections that were removed early (early_drop);
    /// 64 bits each, little-endian.
    /// </summary>
    ConntrackDrops = 30,

    /// <summary>Messages are missing here, because the disk was too slow for the recording. Data: their number, 64 bits, little-endian.</summary>
    RecordingLost = 31,

    /// <summary>The recording's regular end. No data.</summary>
    End = 255,
}
