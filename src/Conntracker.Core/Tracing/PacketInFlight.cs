





using Conntracker.Core.Flows;
using Conntracker.Core.Packets;

namespace Conntracker.Core.Tracing;

/// <summary>A packet on its way through the rules: what its messages have told so far.</summary>
internal struct PacketInFlight
{
    /// <summary>Steps that are kept until the flow is known; longer ways are cut there, and the flow says so.</summary>
    public const int MaximumSteps = 64;

    /// <summary>How far it is.</summary>
    public PacketPhase Phase;

    /// <summary>NFTA_TRACE_ID.</summary>
    public uint Id;

    /// <summary>Its number among all packets, in the order in which they were first reported.</summary>
    public long Order;

    /// <summary>When its first message was received: ticks of UTC.</summary>
    public long Time;

    /// <summary>Its header as it came in or was sent; zero when not known.</summary>
    public FlowKey Header;

    /// <summary>What ICMP errors that are about this packet repeat of it: see <see cref="PacketFingerprint"/>; 0 when not known.</summary>
    public ulong Fingerprint;

    /// <summary>The kernel's id of its connection; 0 while not known.</summary>
    public uint ConntrackId;

    /// <summary>The number of the base chain that it is in; 0 when not known.</summary>
    public int Base;

    /// <summary>Its flow's place; -1 while not known.</summary>
    public int Place;

    /// <summary>When its flow was first seen: a place that is used again holds another.</summary>
    public long FlowFirstSeen;

    /// <summary>The table of ours in whose first chain it was seen first: a number of <see cref="StringPool"/>; 0 once it has gone on from there.</summary>
    public int FirstTable;

    /// <summary>How many of the slot's steps are kept.</summary>
    public int StepCount;

    /// <summary>Whether steps are missing.</summary>
    public bool IsCut;

    /// <summary>Whether its flow, or the one that this flow became, has counted it.</summary>
    public bool IsCounted;

    /// <summary>Whether it travels in the reply direction.</summary>
    public bool IsReply;

    /// <summary>Whether it is an ICMP error: it says nothing about what the rules do to the flow that it is about.</summary>
    public bool IsError;

    /// <summary>Whether it begins a conversation by what it says itself (SYN, INIT, Request, an ICMP query): then it is no answer.</summary>
    public bool IsOpening;

    /// <summary>Whether it has passed our last chain, and nothing has dropped it since.</summary>
    public bool HasPassed;

    /// <summary>Whether its flow knows that it has passed.</summary>
    public bool IsPassNoted;

    /// <summary>Whether it is the packet by which its flow was first known to pass.</summary>
    public bool IsFirstToPass;

    /// <summary>Whether a rule has handed it to user space last: it may come back later than others would.</summary>
    public bool IsQueued;

    /// <summary>Whether its header is known.</summary>
    public readonly bool HasHeader => Header.Family != FlowFamily.None;

    /// <summary>Whether it is an ICMP error of which is not known what it is about.</summary>
    public readonly bool IsBareError =>
        IsError && FlowKey.IsIcmp(Header.Protocol) && PacketDecoder.IsError(Header.Protocol, (byte)(Header.Original.DstPort >> 8));

    /// <summary>Whether it may be an answer of a flow that is not known yet, behind a translation of addresses.</summary>
    public readonly bool MayBeAnswer => ConntrackId == 0 && !IsOpening;

    /// <summary>Whether a packet says of itself that it begins a conversation.</summary>
    public static bool Opens(ref readonly PacketTuple packet)
    {
        const byte Syn = 2;
        const byte Ack = 16;
        const byte Init = 1;
        const byte Request = 0;
        byte icmp = (byte)(packet.Key.Original.DstPort >> 8);
        return packet.Key.Protocol switch
        {
            FlowProtocol.Tcp => packet.HasTransportFlags && (packet.TransportFlags & (Syn | Ack)) == Syn,
            FlowProtocol.Sctp => packet.HasTransportFlags && packet.TransportFlags == Init,
            FlowProtocol.Dccp => packet.HasTransportFlags && packet.TransportFlags == Request,
            FlowProtocol.Icmp => icmp is 8 or 13 or 15 or 17,
            FlowProtocol.IcmpV6 => icmp is 128 or 139,
            _ => false,
        };
    }
}

/// <summary>How far a traced packet is.</summary>
internal enum PacketPhase : byte
{
    /// <summary>No packet: the slot is free.</summary>
    None,

    /// <summary>More is reported of it.</summary>
    Moving,

    /// <summary>Nothing more is reported of it, but its flow is not known yet.</summary>
    Held,
}
