namespace Conntracker.Core.Flows;

/// <summary>The parts that a conntrack message contains.</summary>
[Flags]
internal enum FlowUpdateFields
{
    /// <summary>None.</summary>
    None = 0,

    /// <summary>CTA_TUPLE_ORIG.</summary>
    Original = 1,

    /// <summary>CTA_TUPLE_REPLY.</summary>
    Reply = 2,

    /// <summary>CTA_STATUS.</summary>
    Status = 4,

    /// <summary>CTA_PROTOINFO with a state.</summary>
    ProtocolState = 8,

    /// <summary>CTA_MARK.</summary>
    Mark = 0x10,

    /// <summary>CTA_ID.</summary>
    Id = 0x20,

    /// <summary>CTA_COUNTERS_ORIG or CTA_COUNTERS_REPLY.</summary>
    Counters = 0x40,

    /// <summary>CTA_TIMESTAMP with a start.</summary>
    StartTime = 0x80,

    /// <summary>CTA_ZONE, or a zone in the original tuple.</summary>
    Zone = 0x100,
}
