using Conntracker.Core.Flows;

namespace Conntracker.Core.Tracing;

/// <summary>A packet on its way through the rules: what its messages have told so far.</summary>
internal struct PacketInFlight
{
    /// <summary>Steps that are kept until the flow is known; longer ways are cut there.</summary>
    public const int MaximumSteps = 64;

    /// <summary>NFTA_TRACE_ID; not used when <see cref="Time"/> is 0.</summary>
    public uint Id;

    /// <summary>When its first message was received: ticks of UTC.</summary>
    public long Time;

    /// <summary>Its header as it came in or was sent; zero when not known.</summary>
    public FlowKey Header;

    /// <summary>The kernel's id of its connection; 0 while not known.</summary>
    public uint ConntrackId;

    /// <summary>The number of the base chain that it is in; 0 when not known.</summary>
    public int Base;

    /// <summary>Its flow's place; -1 while not known.</summary>
    public int Place;

    /// <summary>When its flow was first seen: a place that is used again holds another.</summary>
    public long FlowFirstSeen;

    /// <summary>The table of ours in whose first chain it was seen first: a number of <see cref="NameTable"/>; 0 once it has gone on from there.</summary>
    public int FirstTable;

    /// <summary>How many of the slot's steps are kept.</summary>
    public int StepCount;

    /// <summary>Whether its flow, or the one that this flow became, has counted it.</summary>
    public bool IsCounted;

    /// <summary>Whether it travels in the reply direction.</summary>
    public bool IsReply;

    /// <summary>Whether it is an ICMP error: it says nothing about what the rules do to the flow that it is about.</summary>
    public bool IsError;

    /// <summary>Whether it has passed its last hook.</summary>
    public bool HasPassed;

    /// <summary>Whether its header is known.</summary>
    public readonly bool HasHeader => Header.Family != FlowFamily.None;
}
