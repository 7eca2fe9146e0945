namespace Conntracker.Core.Flows;

/// <summary>A decoded conntrack message. The struct is reused for every message, so that decoding allocates nothing.</summary>
internal struct FlowUpdate
{
    /// <summary>The kind of message.</summary>
    public FlowUpdateKind Kind;

    /// <summary>Which of the fields below are set.</summary>
    public FlowUpdateFields Fields;

    /// <summary>Original tuple and zone.</summary>
    public FlowKey Key;

    /// <summary>Reply tuple.</summary>
    public FlowEndpoints Reply;

    /// <summary>IPS_* bits.</summary>
    public uint Status;

    /// <summary>The kernel's id of the connection.</summary>
    public uint Id;

    /// <summary>The connection mark.</summary>
    public uint Mark;

    /// <summary>TCP, SCTP or DCCP state, as the kernel numbers it.</summary>
    public byte ProtocolState;

    /// <summary>Packets and bytes.</summary>
    public FlowCounters Counters;

    /// <summary>When the connection began: nanoseconds since 1970, UTC.</summary>
    public ulong StartTime;

    /// <summary>Whether the message carried these fields.</summary>
    public readonly bool Has(FlowUpdateFields fields) => (Fields & fields) == fields;
}
