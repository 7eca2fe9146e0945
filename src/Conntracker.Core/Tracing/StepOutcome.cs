namespace Conntracker.Core.Tracing;

/// <summary>The effect of a step on a packet's path through a base chain.</summary>
internal enum StepOutcome : byte
{
    /// <summary>The path continues: a jump, a return, a rule without verdict.</summary>
    None,

    /// <summary>The base chain is done, and the packet continues to the next one.</summary>
    Accept,

    /// <summary>The packet ends here.</summary>
    Drop,

    /// <summary>The packet ends here, and its sender is notified.</summary>
    Reject,
}
