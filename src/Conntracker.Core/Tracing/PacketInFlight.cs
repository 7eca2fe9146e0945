using Conntracker.Core.Flows;
using Conntracker.Core.Packets;

namespace Conntracker.Core.Tracing;

/// <summary>A packet on its way through the rules: the content of its messages so far.</summary>
internal struct PacketInFlight
{
    /// <summary>Its phase.</summary>
    public PacketPhase Phase;

    /// <summary>NFTA_TRACE_ID.</summary>
    public uint Id;

    /// <summary>Its number among all packets, in the order in which they were first reported.</summary>
    public long Order;

    /// <summary>When its first message was received: ticks of UTC.</summary>
    public long Time;

    /// <summary>Its header as it was received or sent; zero when not known.</summary>
    public FlowKey Header;

    /// <summary>The part of it that ICMP errors repeat: see <see cref="PacketFingerprint"/>; 0 when not known.</summary>
    public ulong Fingerprint;

    /// <summary>The kernel's id of its connection; 0 while not known.</summary>
    public uint ConntrackId;

    /// <summary>The number of the base chain that it is in; 0 when not known.</summary>
    public int Base;

    /// <summary>Its flow's slot; -1 while not known.</summary>
    public int FlowSlot;

    /// <summary>When its flow was first seen: a reused slot holds another flow.</summary>
    public long FlowFirstSeen;

    /// <summary>The table of ours in whose first chain it was first seen: a number of <see cref="StringPool"/>; 0 once it has left that chain.</summary>
    public int FirstTable;

    /// <summary>Its steps, until its flow is known. Each slot has an instance of its own, which the packet takes along when it changes slots.</summary>
    public PacketSteps Steps;

    /// <summary>Whether it has traversed our last chain.</summary>
    public PacketPass Pass;

    /// <summary>Whether steps are missing.</summary>
    public bool IsIncomplete;

    /// <summary>Whether its flow, or the flow that this one was merged into, has counted it.</summary>
    public bool IsCounted;

    /// <summary>Whether it travels in the reply direction.</summary>
    public bool IsReply;

    /// <summary>Whether it is an ICMP error: it does not show what the rules do to the flow that caused it.</summary>
    public bool IsError;

    /// <summary>Whether its own content begins a conversation (SYN, INIT, Request, an ICMP query): then it is not a reply.</summary>
    public bool IsOpening;

    /// <summary>Whether a rule has queued it to user space last: it may return later than others would.</summary>
    public bool IsQueued;

    /// <summary>Whether its flow was found or created.</summary>
    public readonly bool HasFlow => FlowSlot >= 0;

    /// <summary>Whether it has traversed our last chain, and nothing has dropped it since.</summary>
    public readonly bool HasPassed => Pass != PacketPass.No;

    /// <summary>Whether it is the originator's, and shows what the rules do to the flow.</summary>
    public readonly bool IsOriginal => !IsReply && !IsError;

    /// <summary>Whether its header is known.</summary>
    public readonly bool HasHeader => Header.Family != FlowFamily.None;

    /// <summary>Whether it is an ICMP error, and the packet that caused it is not known.</summary>
    public readonly bool IsBareError =>
        IsError && FlowKey.IsIcmp(Header.Protocol) && Icmp.IsError(Header.Protocol, Header.Original.IcmpType);

    /// <summary>Whether it may be a reply of a flow that is not known yet, behind NAT.</summary>
    public readonly bool MayBeAnswer => ConntrackId == 0 && !IsOpening;

    /// <summary>Whether a packet's own content begins a conversation.</summary>
    public static bool Opens(ref readonly PacketTuple packet)
    {
        const byte Syn = 2;
        const byte Ack = 16;
        const byte Init = 1;
        const byte Request = 0;
        return packet.Key.Protocol switch
        {
            FlowProtocol.Tcp => packet.HasTransportFlags && (packet.TransportFlags & (Syn | Ack)) == Syn,
            FlowProtocol.Sctp => packet.HasTransportFlags && packet.TransportFlags == Init,
            FlowProtocol.Dccp => packet.HasTransportFlags && packet.TransportFlags == Request,
            _ => Icmp.IsQuery(packet.Key.Protocol, packet.Key.Original.IcmpType),
        };
    }
}
